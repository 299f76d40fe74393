#!/usr/bin/env bash
# Trains on four machines with one process each: sbatch train.sh
# srun tells each process its rank; the first machine of the job is where they meet. A job that is requeued resumes from its checkpoint.
#SBATCH --job-name=train
#SBATCH --nodes=4
#SBATCH --ntasks-per-node=1
#SBATCH --cpus-per-task=16
#SBATCH --mem=16G
#SBATCH --requeue
set -euo pipefail

# The interface that connects the machines: Gloo is neither authenticated nor encrypted.
export GLOO_SOCKET_IFNAME=${GLOO_SOCKET_IFNAME:-eth0}

srun --kill-on-bad-exit=1 recurra train train.csv --text body --label topic --distributed \
  --checkpoint train.checkpoint --resume --out model.safetensors
