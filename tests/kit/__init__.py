# SPDX-License-Identifier: Apache-2.0
"""What the whole-program tests are made of; tests/README.md tells more. Python's standard library only."""
