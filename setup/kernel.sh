#!/usr/bin/env bash
# The limits of the kernel that all containers share: kernel.sh plan|apply
. "$(dirname "$0")/where.sh"
((EUID == 0)) || exit 0

case $1 in
plan) /usr/bin/python3 -B -m containers.node.kernel --plan ;;
apply) /usr/bin/python3 -B -m containers.node.kernel ;;
esac
