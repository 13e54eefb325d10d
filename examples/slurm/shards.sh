#!/bin/bash
# Divide a run, or a plan, among the jobs of a SLURM array, and have a last job make the record:
#
#     bash examples/slurm/shards.sh 8 --method f2net.lite --dataset davis16 --root DAVIS --out results
#     bash examples/slurm/shards.sh 8 --plan plan.yaml
#
# The options behind the number of shards are those of vosbench run. The results folder is one that all nodes see. A job
# that was stopped at its time limit or preempted is started again by --requeue, and resumes. More options of sbatch, such
# as --gres=gpu:1 or --partition, are in the variable SBATCH_OPTIONS.
set -euo pipefail
number=$1
shift
read -ra options <<< "${SBATCH_OPTIONS:-}"
words=$(printf ' %q' "$@")
array=$(sbatch --parsable --job-name=vosbench --array="1-$number" --cpus-per-task=2 --requeue "${options[@]}" \
    --wrap "exec vosbench run$words --quiet --shard \$SLURM_ARRAY_TASK_ID/$number")
sbatch --job-name=vosbench-merge --dependency="afterok:$array" "${options[@]}" --wrap "exec vosbench merge$words"
