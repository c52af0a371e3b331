/* SPDX-License-Identifier: Apache-2.0 */
/* solv.h - libsolv's headers, all that the source layer uses
 *
 * Their inline map_set() (a bit of a bitmap) has the name of a function of base/map.h; here it is called
 * solv_map_set().
 */
#ifndef IMGFACTORY_SOURCE_SOLV_H
#define IMGFACTORY_SOURCE_SOLV_H

#define map_set solv_map_set
#include <solv/bitmap.h>
#include <solv/evr.h>
#include <solv/pool.h>
#include <solv/poolarch.h>
#include <solv/problems.h>
#include <solv/queue.h>
#include <solv/repo.h>
#include <solv/repo_solv.h>
#include <solv/repo_write.h>
#include <solv/solver.h>
#undef map_set

#endif
