/* explain.h - why a path is in an image, or why not: for `imgfactory why`
 *
 * The chain of a file goes from what manifest, recipe or factory want themselves to the file, each link needed by the one
 * before it. A path that is not in the image is looked for in all packages of the selection, and else in the indices.
 * Threads: explain_find() on the order's thread, which it blocks; the printing on main.
 * Owns: nothing; results live in the job's arena.
 */
#ifndef IMGFACTORY_LINE_EXPLAIN_H
#define IMGFACTORY_LINE_EXPLAIN_H

#include "line/batch.h"
#include "line/work.h"

/* Fills job->answers for the paths of plant_options.explained. The product is there already. */
bool explain_find(struct work *work, struct err *err) MUST_CHECK;
/* Prints the answers of all orders that ended well, for people or as JSON. */
void explain_print(FILE *out, const struct batch *batch);
void explain_print_json(FILE *out, const struct batch *batch);

#endif
