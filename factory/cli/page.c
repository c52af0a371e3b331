/* SPDX-License-Identifier: Apache-2.0 */
#include "cli/page.h"

#include "base/arena.h"
#include "cli/roff.h"

#include <ctype.h>
#include <stdlib.h>

/* What is being printed. */
struct printing {
    FILE *out;
    struct text rest; /* lines that were not looked at */
    bool is_begun;    /* a heading or a list item stands right before, behind which no paragraph is begun */
};

/* Takes the next line, without its end. */
static bool next_line(struct text *rest, struct text *ret_line)
{
    bool is_there = rest->len > 0;
    const char *end = is_there ? memchr(rest->ptr, '\n', rest->len) : NULL;
    size_t len = end ? (size_t)(end - rest->ptr) : rest->len;
    *ret_line = (struct text){rest->ptr, len};
    *rest = (struct text){rest->ptr + len + (end != NULL), rest->len - len - (end != NULL)};
    return is_there;
}

static struct text peek_line(const struct printing *printing)
{
    struct text rest = printing->rest, line;
    return next_line(&rest, &line) ? line : (struct text){"", 0};
}

struct text page_part(struct text page, const char *from, const char *until)
{
    struct text rest = page, line, part = from ? (struct text){"", 0} : page;
    while (next_line(&rest, &line)) {
        if (from && text_is(line, from)) {
            part = rest;
            from = NULL;
        } else if (!from && until && text_is(line, until)) {
            return (struct text){part.ptr, (size_t)(line.ptr - part.ptr)};
        }
    }
    return part;
}

/* Returns how long a link is that begins here, and its text; 0 when there is none. */
static size_t link_at(struct text text, struct text *ret_shown)
{
    const char *middle = text.len && text.ptr[0] == '[' ? memmem(text.ptr, text.len, "](", 2) : NULL;
    const char *inner = middle ? memchr(text.ptr + 1, '[', (size_t)(middle - text.ptr)) : NULL;
    const char *end = middle && !inner ? memchr(middle, ')', text.len - (size_t)(middle - text.ptr)) : NULL;
    *ret_shown = end ? (struct text){text.ptr + 1, (size_t)(middle - text.ptr - 1)} : (struct text){"", 0};
    return end ? (size_t)(end - text.ptr) + 1 : 0;
}

/* Whether an asterisk is one of emphasis: at one side a letter, at the other none. */
static bool is_emphasis(struct text text, size_t at)
{
    bool is_behind = at > 0 && isalnum((unsigned char)text.ptr[at - 1]);
    bool is_before = at + 1 < text.len && isalnum((unsigned char)text.ptr[at + 1]);
    return is_behind != is_before;
}

/* Prints what is left of a text without its marks, code in backquotes. */
static void print_plain(FILE *out, struct text text)
{
    bool is_code = false;
    for (size_t i = 0; i < text.len; i++) {
        struct text rest = {text.ptr + i, text.len - i}, shown;
        size_t link = is_code ? 0 : link_at(rest, &shown);
        is_code ^= text.ptr[i] == '`';
        if (link) {
            print_plain(out, shown);
            i += link - 1;
        } else if (!text_has_prefix(rest, "\\|") && (is_code || text.ptr[i] != '*' || !is_emphasis(text, i))) {
            (void)fputc(text.ptr[i], out);
        }
    }
}

/* Gathers text that is printed when it is whole. */
struct gathered {
    char *bytes;
    size_t len;
    FILE *stream;
};

static void gather(struct gathered *gathered)
{
    gathered->stream = open_memstream(&gathered->bytes, &gathered->len);
    if (!gathered->stream)
        memory_abort(BUFSIZ);
}

/* Ends gathering; the caller frees what is returned. */
static char *take(struct gathered *gathered)
{
    if (fclose(gathered->stream) != 0)
        memory_abort(gathered->len);
    return gathered->bytes;
}

static void print_heading(struct printing *printing, struct text line)
{
    size_t depth = 0;
    while (depth < line.len && line.ptr[depth] == '#')
        depth++;
    struct gathered gathered = {0};
    gather(&gathered);
    print_plain(gathered.stream, (struct text){line.ptr + depth + 1, line.len - depth - 1});
    char *text = take(&gathered);
    for (char *at = text; depth == 2 && *at; at++)
        *at = (char)toupper((unsigned char)*at);
    if (depth > 1)
        roff_line(printing->out, depth == 2 ? ".SH " : ".SS ", text, "\n");
    printing->is_begun = true;
    free(text);
}

/* Examples stand as they are. */
static void print_example(struct printing *printing)
{
    struct text line;
    (void)fprintf(printing->out, "%s.RS 4\n.nf\n", printing->is_begun ? "" : ".PP\n");
    while (next_line(&printing->rest, &line) && !text_has_prefix(line, "```")) {
        char *copy = strndup(line.ptr, line.len);
        if (!copy)
            memory_abort(line.len);
        roff_line(printing->out, "", copy, "\n");
        free(copy);
    }
    (void)fputs(".fi\n.RE\n", printing->out);
    printing->is_begun = false;
}

/* Takes the next cell of a row, "| a | b |"; "\|" is no end of one. */
static bool next_cell(struct text *row, struct text *ret_cell)
{
    size_t from = row->len && row->ptr[0] == '|', end = from;
    while (end < row->len && (row->ptr[end] != '|' || row->ptr[end - 1] == '\\'))
        end++;
    if (end == row->len)
        return false;
    *ret_cell = text_trim((struct text){row->ptr + from, end - from});
    *row = (struct text){row->ptr + end, row->len - end};
    return true;
}

/* A row is a term with what it means. */
static void print_row(struct printing *printing, struct text row)
{
    struct text cell;
    struct gathered gathered = {0};
    if (!next_cell(&row, &cell))
        return;
    gather(&gathered);
    print_plain(gathered.stream, cell);
    char *term = take(&gathered);
    roff_line(printing->out, ".TP\n", *term ? term : "...", "\n");
    free(term);
    gathered = (struct gathered){0};
    gather(&gathered);
    for (size_t i = 0; next_cell(&row, &cell); i++) {
        (void)fputs(i ? "; " : "", gathered.stream);
        print_plain(gathered.stream, cell);
    }
    char *meaning = take(&gathered);
    roff_paragraph(printing->out, *meaning ? meaning : "...", "");
    free(meaning);
}

static void print_table(struct printing *printing)
{
    struct text line;
    (void)next_line(&printing->rest, &line); /* what stands between "|---|" */
    while (text_has_prefix(peek_line(printing), "|") && next_line(&printing->rest, &line))
        print_row(printing, line);
    printing->is_begun = false;
}

/* Whether a line ends the paragraph before it. */
static bool is_end(struct text line)
{
    static const char *const starts[] = {"#", "|", "- ", "```", "<!--"};
    bool is_one = text_trim(line).len == 0;
    for (size_t i = 0; i < sizeof starts / sizeof starts[0]; i++)
        is_one = is_one || text_has_prefix(line, starts[i]);
    return is_one;
}

static void print_prose(struct printing *printing, struct text line)
{
    struct gathered gathered = {0};
    bool is_item = text_has_prefix(line, "- ");
    gather(&gathered);
    print_plain(gathered.stream, is_item ? (struct text){line.ptr + 2, line.len - 2} : line);
    while (!is_end(peek_line(printing)) && next_line(&printing->rest, &line)) {
        (void)fputc(' ', gathered.stream);
        print_plain(gathered.stream, text_trim(line));
    }
    char *text = take(&gathered);
    if (is_item)
        (void)fputs(".IP \\(bu 2\n", printing->out);
    else if (!printing->is_begun)
        (void)fputs(".PP\n", printing->out);
    roff_paragraph(printing->out, text, "");
    printing->is_begun = false;
    free(text);
}

void page_print(FILE *out, struct text part)
{
    struct printing printing = {.out = out, .rest = part, .is_begun = true};
    struct text line;
    while (next_line(&printing.rest, &line)) {
        if (text_has_prefix(line, "```"))
            print_example(&printing);
        else if (text_has_prefix(line, "#"))
            print_heading(&printing, line);
        else if (text_has_prefix(line, "|"))
            print_table(&printing);
        else if (text_has_prefix(line, "- ") || !is_end(line))
            print_prose(&printing, line);
    }
}
