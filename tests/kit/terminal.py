# SPDX-License-Identifier: Apache-2.0
"""Runs programs with standard output and error on a terminal of any width."""

import fcntl
import os
import pty
import struct
import subprocess
import termios


def run_there(command, columns=80, env=None, cwd=None):
    """Returns what came to the terminal, and the exit status."""
    main, terminal = pty.openpty()
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    process = subprocess.Popen(command, stderr=terminal, stdout=terminal, stdin=subprocess.DEVNULL, env=env, cwd=cwd)
    os.close(terminal)
    shown = b""
    while True:
        try:
            part = os.read(main, 65536)
        except OSError: # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(main)
    return shown.decode(), process.wait()
