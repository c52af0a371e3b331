/* SPDX-License-Identifier: Apache-2.0 */
/* formats.h - the names of the package formats, for tests that load recipes or architectures */
#ifndef IMGFACTORY_TESTS_FORMATS_H
#define IMGFACTORY_TESTS_FORMATS_H

#include "base/list.h"

static const char *format_names[] = {"deb", "rpm"};
static const struct strings both_formats = {format_names, 2, 2};

#endif
