#!/usr/bin/env bash
# Labels the files of a folder with the tasks of a job array: sbatch --array=1-100 predict.sh
# A task that is started again does what is missing. Give each the processors that it computes with.
#SBATCH --job-name=label
#SBATCH --array=1-100
#SBATCH --cpus-per-task=4
#SBATCH --mem=4G
#SBATCH --requeue
set -euo pipefail

exec srun recurra predict model.safetensors 'in/**/*.parquet' --text body --out labelled --shard auto
