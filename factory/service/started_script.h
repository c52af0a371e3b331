/* started_script.h - shell scripts that start a service, as far as their text is constant; nothing is run
 *
 * Variables are those that the script assigns at the beginning of a line, and those of the files that it reads there
 * (/etc/default/NAME); of several assignments the last counts, and what is never assigned is empty. Commands are all that
 * there are, whatever conditions they stand in (effect/shell_words.h).
 * Threads: pure functions of their inputs.
 * Owns: nothing; what is returned lives in the arena given.
 * Fails with: ERR_MALFORMED, and as packaged.h.
 */
#ifndef IMGFACTORY_SERVICE_STARTED_SCRIPT_H
#define IMGFACTORY_SERVICE_STARTED_SCRIPT_H

#include "plan/wishes.h"
#include "service/environment.h"
#include "service/packaged.h"

/* Set the first three; variables may be there already. */
struct started_script {
    struct arena *arena;
    const struct packaged *packaged;
    const struct wishes *made; /* files that are made beside the packages'; may be NULL */
    struct environment environment;
    bool is_unsure;       /* it reads a file that is not there: what is never assigned may be there */
    const char *place;    /* private: for messages */
    size_t sourced_count; /* private */
};

struct started_command {
    struct strings words; /* up to the first that is not constant; may be none */
    bool is_constant;
};

struct started_commands {
    struct started_command *items;
    size_t count, capacity;
};

/* Reads the variables of a script, and returns its text. */
bool started_script_read(struct started_script *script, const struct packaged_file *file, struct text *ret_text,
                         struct err *err) MUST_CHECK;
/* Lists the commands of a text with the script's variables. */
void started_script_commands(struct started_script *script, struct text text, struct started_commands *ret_commands);

#endif
