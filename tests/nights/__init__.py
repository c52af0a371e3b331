# SPDX-License-Identifier: Apache-2.0
"""Simulated nights of a site: upstream.py has the repositories, outside.py the checker, which shares nothing with the program, play.py
plays the nights. e2e/test_nights.py plays some of them, scripts/nights as many as one likes."""
