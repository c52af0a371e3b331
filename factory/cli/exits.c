/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/exits.h"

#include "cli/command.h"
#include "cli/fold.h"

static const struct exit_row rows[] = {
    {0, ERR_NONE, "done", "All images were built, or are as they were before; the command did what it was asked for.",
     "Nothing. Warnings and notes on standard error are worth a look all the same."},
    {1, ERR_DIFFERS, "two things that were compared differ",
     "The two images that were compared are not the same. Only `diff` ends so, when it is asked for (--exit-code).",
     "Nothing: it is an answer. What differs was printed."},
    {2, ERR_USAGE, "usage, manifest, arch, source or site file",
     "The command line or a file of yours cannot be understood: manifest, architecture, source or site file. Nothing "
     "was "
     "done.",
     "The message begins with the option, or with file, line and column. `imgfactory help COMMAND` has the options, "
     "`imgfactory show-config` tells which hold and from where, "
     "the page "
     "manifests/README.md the keys of manifests and sources, factory/registry/README.md those of the site file. Mend "
     "the file that is named."},
    {3, ERR_TRUST, "verification refused",
     "What came is not what was promised: a signature, a digest, a date that is too old, something older than what was "
     "accepted before, or another repository than before. It is never retried, and nothing of it is used.",
     "The message names the repository or file. Look who changed what: a new key, a new release (once accepted with "
     "--accept-release-change), a mirror that stands still or gives other files than its index says, a proxy that "
     "alters "
     "files. Look at this machine's clock, too (`date`): one that is wrong makes good files look too new or too old. "
     "When "
     "nobody can tell why, do not go on."},
    {4, ERR_MALFORMED, "malformed or hostile input, or a limit was hit",
     "A package, an index or an image breaks the rules of its format, or is larger, deeper or has more of something "
     "than any "
     "sane one has. Nothing of it was run, and nothing was written outside of where it belongs.",
     "Look at the package or file that is named, and who made it. A file that was damaged on its way would have been "
     "refused with status 3. The limits are on the page factory/limits.md."},
    {5, ERR_RESOLVE, "cannot resolve",
     "What is asked for cannot be had from the source: a package, binary, library or architecture that is not there, "
     "packages that do not fit together, or an image in which something could not start. Of `lock --check`: something "
     "newer would be taken. Of `system lint`: a rule is broken.",
     "The message says what is missing and for whom. `imgfactory find WORD` tells what the packages have, `imgfactory "
     "why "
     "IMAGE PATH` why a file is there or not. Change the manifest (packages: first, files:), the source, or take the "
     "architecture out."},
    {6, ERR_NETWORK, "network, after all retries, or --timeout",
     "A server could not be reached or did not answer, after all retries; or the run was not done within --timeout.",
     "Run again. When it stays: name resolution, proxy (http_proxy, https_proxy, no_proxy), firewall; -v tells each "
     "try. With "
     "what was fetched before, --cache-only goes without indices from the network."},
    {7, ERR_PUBLISH, "the registry refused",
     "The registry was reached and said no: no credential or one without permission, no such repository, a tag that "
     "must "
     "not move, a quota.",
     "Its own words are in the message. `imgfactory login REGISTRY` tries and keeps a credential; some registries want "
     "the "
     "repository to be made first. No tag was moved to an image that is not whole."},
    {8, ERR_LOCAL, "local resource: disk, memory, permission, lock",
     "This machine lacks something: room on the disk, memory, permission, descriptors, threads; a lock that others "
     "hold too "
     "long; or a place that others can write to.",
     "Make room, or do what the message says. `imgfactory clean` makes room in the cache; --cache, --state and "
     "--output "
     "name other places. Nothing half-written is left under a final name."},
    {9, ERR_PARTLY, "some images failed, others are there",
     "Of several images some failed and others are there; or an architecture is missing of one that went out, or a "
     "security update is held back for more than two nights. Of `imgfactory status`: images are not current any more.",
     "See the report: --json gives each image its own status and error."},
    {70, ERR_INTERNAL, "internal error", "imgfactory found a mistake of its own.",
     "Report it, with the message, the command line and `imgfactory --version -v`."},
    {130, ERR_CANCELLED, "interrupted (Ctrl-C)",
     "Somebody or something ended the run by SIGINT: Ctrl-C, as a rule. Other signals give 128 and their number: 143 "
     "for "
     "SIGTERM, 129 for SIGHUP.",
     "Run again. What was done before is used again, and nothing half-written is left."},
    {143, ERR_CANCELLED, "ended (SIGTERM)",
     "Something ended the run by SIGTERM: a service manager, a scheduler, a shutdown. Its report says what was not "
     "done "
     "(kind cancelled).",
     "Run again. A timer that ends it every time should give it more time; --timeout ends it in its own words."},
};

struct exits exits_all(void)
{
    return (struct exits){rows, ARRAY_COUNT(rows)};
}

/* Prints one class. */
static void print_exit(const struct exit_row *row)
{
    (void)printf("%d (%s): %s\n\nWhat it means\n  ", row->status, row->status ? err_kind_name(row->kind) : "good",
                 row->brief);
    fold_print(stdout, text_of(row->meaning), 2);
    (void)fputs("\nWhat to look at\n  ", stdout);
    fold_print(stdout, text_of(row->act), 2);
}

static bool print_word(struct command *command, const char *word, struct err *err)
{
    uint64_t status;
    bool is_number = text_parse_u64(text_of(word), &status);
    for (size_t i = 0; i < ARRAY_COUNT(rows); i++) {
        const struct exit_row *row = &rows[i];
        if (is_number ? (uint64_t)row->status != status : strcmp(err_kind_name(row->kind), word) != 0 || !row->status)
            continue;
        print_exit(row);
        return true;
    }
    err_set(err, ERR_USAGE, "'%s' is no exit status of imgfactory; `imgfactory explain` lists them",
            text_printable(&command->arena, text_of(word)));
    return false;
}

bool exits_run(struct command *command, struct err *err)
{
    const struct strings *words = &command->options.words;
    for (size_t i = 0; i < words->count; i++) {
        if (i)
            (void)fputc('\n', stdout);
        if (!print_word(command, words->items[i], err))
            return false;
    }
    for (size_t i = 0; !words->count && i < ARRAY_COUNT(rows); i++)
        (void)printf("%3d  %-10s  %s\n", rows[i].status, rows[i].status ? err_kind_name(rows[i].kind) : "good",
                     rows[i].brief);
    return true;
}
