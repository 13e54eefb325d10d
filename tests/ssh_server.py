"""An SSH server on 127.0.0.1 for tests: ``python ssh_server.py HOME`` writes keys and a configuration below HOME."""

import asyncio
import sys
from asyncio.subprocess import PIPE
from pathlib import Path

import asyncssh


async def handle(process: "asyncssh.SSHServerProcess[str]") -> None:
    """Run a command, and end it with its connection."""
    child = await asyncio.create_subprocess_shell(str(process.command), stdin=PIPE, stdout=PIPE, stderr=PIPE)
    await process.redirect(stdin=child.stdin, stdout=child.stdout, stderr=child.stderr)
    ended = asyncio.ensure_future(child.wait())
    await asyncio.wait({ended, asyncio.ensure_future(process.wait_closed())}, return_when=asyncio.FIRST_COMPLETED)
    if ended.done():
        process.exit(ended.result())
    else:
        child.terminate()


async def serve(home: Path) -> None:
    """Serve for ever."""
    folder = home / ".ssh"
    folder.mkdir(parents=True)
    key = asyncssh.generate_private_key("ssh-ed25519")
    key.write_private_key(folder / "id")
    key.write_public_key(folder / "authorized")
    server = await asyncssh.listen(
        "127.0.0.1",
        0,
        server_host_keys=[asyncssh.generate_private_key("ssh-ed25519")],
        authorized_client_keys=str(folder / "authorized"),
        process_factory=handle,
    )
    part = folder / "part"
    part.write_text(
        f"Host 127.0.0.1\n  Port {server.get_port()}\n  IdentityFile {folder}/id\n  User tester\n"
        "  UserKnownHostsFile none\n  StrictHostKeyChecking no\n"
    )
    part.rename(folder / "config")
    await server.wait_closed()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1])))
