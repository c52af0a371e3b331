/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/roff.h"

#include "base/arena.h"
#include "cli/fold.h"

#include <stdlib.h>

#define MANUAL_DATE "2026-11-29" /* of the words; a page has to have one, and every build gives the same */

void roff_text(FILE *out, const char *text)
{
    static const char dots[] = "…";
    bool is_bold = false;
    for (const char *at = text; *at; at++) {
        if (strncmp(at, dots, strlen(dots)) == 0) {
            (void)fputs("\\&...", out);
            at += strlen(dots) - 1;
            continue;
        }
        if (*at == '`')
            (void)fputs((is_bold = !is_bold) ? "\\fB" : "\\fR", out);
        else if (*at == '\\')
            (void)fputs("\\e", out);
        else if (*at == '-')
            (void)fputs("\\-", out);
        else if (*at == '~')
            (void)fputs("\\(ti", out);
        else if (*at == '\'')
            (void)fputs("\\(aq", out);
        else if (*at == '^')
            (void)fputs("\\(ha", out);
        else if (*at == '.' && (at == text || at[-1] == ' ' || at[-1] == '\n')) /* where a line may begin */
            (void)fputs("\\&.", out);
        else
            (void)fputc(*at == '\n' ? ' ' : *at, out);
    }
}

void roff_line(FILE *out, const char *before, const char *text, const char *behind)
{
    (void)fputs(before, out);
    roff_text(out, text);
    (void)fputs(behind, out);
}

void roff_paragraph(FILE *out, const char *text, const char *end)
{
    char *escaped = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&escaped, &len);
    if (!memory)
        memory_abort(len);
    roff_text(memory, text);
    (void)fputs(end, memory);
    if (fclose(memory) != 0)
        memory_abort(len);
    fold_print(out, (struct text){escaped, len}, 0);
    free(escaped);
}

void roff_term(FILE *out, const char *name, const char *meaning)
{
    roff_line(out, ".TP\n\\fB", name, "\\fR\n");
    roff_paragraph(out, meaning, "");
}

void roff_head(FILE *out, const char *name, char section, const char *line)
{
    (void)fputs(".TH IMGFACTORY", out);
    for (const char *at = name ? name : ""; *at; at++)
        (void)fprintf(out, "%s%s%c", at == name ? "\\-" : "", *at == '-' ? "\\" : "",
                      *at >= 'a' && *at <= 'z' ? *at - 'a' + 'A' : *at);
    (void)fprintf(out, " %c \"%s\" \"imgfactory %s\" \"imgfactory\"\n.SH NAME\nimgfactory", section, MANUAL_DATE,
                  IMGFACTORY_VERSION);
    if (name)
        roff_line(out, "\\-", name, "");
    roff_line(out, " \\- ", line, "\n");
}
