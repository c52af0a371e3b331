#!/bin/sh
# Process 1 of the container: ncat would not end by a signal there, since process 1 has no default for it.
ncat --listen --keep-open "${PORT:-8081}" --sh-exec /usr/bin/greet.sh &
trap 'kill $!; exit 0' INT TERM
wait $!
