"""Make a method's predictor; whatever fails becomes one line."""

from vosbench.errors import PluginError, VosbenchError, missing_package, one_line, place
from vosbench.method.method import Method, Predictor, Setup


def loaded(method: Method, setup: Setup) -> Predictor:
    """Make a method's predictor.

    Raises:
        PluginError: if it cannot be made.
        ModuleNotFoundError: if it needs a package of an extra.
    """
    try:
        return method.load(setup)
    except VosbenchError:
        raise
    except (Exception, SystemExit) as error:
        if missing_package(error):
            raise
        where = place(error, getattr(method.load, "__module__", ""))
        at = f" (at {where})" if where else ""
        raise PluginError(f'"{method.called(setup.variant)}" cannot be loaded{at}: {one_line(error)}') from error
