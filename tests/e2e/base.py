# SPDX-License-Identifier: Apache-2.0
"""Finds the kit: `from base import …` in every test program of this folder."""

import os
import sys

sys.dont_write_bytecode = True
sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))

from kit import deb, elf, gpg, image, repo, run, server, world  # noqa: E402,F401  pylint: disable=wrong-import-position
from kit import capture, layout, quay, registry, rpm, rpmmd, service  # noqa: E402,F401  pylint: disable=wrong-import-position
from kit.case import Case, need  # noqa: E402,F401  pylint: disable=wrong-import-position
from kit.faultproxy import FaultProxy  # noqa: E402,F401  pylint: disable=wrong-import-position
from kit.push_case import PASSWORD, USER, PushCase  # noqa: E402,F401  pylint: disable=wrong-import-position
from kit.report import Report  # noqa: E402,F401  pylint: disable=wrong-import-position
