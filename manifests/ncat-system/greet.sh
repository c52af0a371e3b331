#!/bin/sh
printf 'HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Type: text/plain\r\n\r\n'
printf 'Hi %s, this is %s\n' "${RECEIVER:-World}" "$NAME"
