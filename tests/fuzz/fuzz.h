/* SPDX-License-Identifier: Apache-2.0 */
/* fuzz.h - what every fuzz target needs: libFuzzer's entry point */
#ifndef IMGFACTORY_TESTS_FUZZ_H
#define IMGFACTORY_TESTS_FUZZ_H

#include "base/auto.h"
#include "base/text.h"

/* Called by libFuzzer with one input; returns 0. */
int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

#endif
