/* SPDX-License-Identifier: Apache-2.0 */
/* page_templates.h - templates/ within the program: night, image and style
 *
 * Threads: const.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_PAGE_PAGE_TEMPLATES_H
#define IMGFACTORY_PAGE_PAGE_TEMPLATES_H

#include "base/embedded.h"

extern const struct embedded_file page_templates[];
extern const size_t page_templates_count;

#endif
