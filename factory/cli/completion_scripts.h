/* completion_scripts.h - the scripts of factory/cli/completion/ within the program; the build makes the .c of them
 *
 * Threads: const.
 * Owns: nothing.
 */
#ifndef IMGFACTORY_CLI_COMPLETION_SCRIPTS_H
#define IMGFACTORY_CLI_COMPLETION_SCRIPTS_H

#include <stddef.h>

struct completion_script {
    const char *shell; /* "bash" */
    const unsigned char *bytes;
    size_t len;
};

extern const struct completion_script completion_scripts[];
extern const size_t completion_script_count;

#endif
