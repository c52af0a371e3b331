/* SPDX-License-Identifier: Apache-2.0 */
/* A walk over the lines through four parts. Inside the text a line that begins with '-' must be dash-escaped ("-
 * ---…"), so any other line of dashes is a second block or a forged border. */
#include "trust/clearsign.h"

enum part { PART_BEGIN, PART_HEADERS, PART_TEXT, PART_SIGNATURE, PART_END };

struct walk {
    enum part part;
    char *text; /* where the next byte of text goes */
    const char *why;
};

static bool refuse(struct walk *walk, const char *why)
{
    walk->why = why;
    return false;
}

static bool take_text_line(struct walk *walk, struct text line)
{
    if (text_is(line, "-----BEGIN PGP SIGNATURE-----")) {
        walk->part = PART_SIGNATURE;
        return true;
    }
    if (text_has_prefix(line, "- ")) {
        line.ptr += 2;
        line.len -= 2;
    } else if (text_has_prefix(line, "-")) {
        return refuse(walk, "the signed text has a line of dashes that is not escaped");
    }
    walk->text = mempcpy(walk->text, line.ptr, line.len);
    *walk->text++ = '\n';
    return true;
}

static bool take_line(struct walk *walk, struct text line)
{
    while (line.len &&
           (line.ptr[line.len - 1] == '\r' || line.ptr[line.len - 1] == ' ' || line.ptr[line.len - 1] == '\t'))
        line.len--;
    switch (walk->part) {
    case PART_BEGIN:
        walk->part = PART_HEADERS;
        return text_is(line, "-----BEGIN PGP SIGNED MESSAGE-----") ||
               refuse(walk,
                      "it does not begin with a signed message (a login page of the network, or an unsigned file?)");
    case PART_HEADERS:
        if (!line.len)
            walk->part = PART_TEXT;
        return !line.len || text_has_prefix(line, "Hash: ") ||
               refuse(walk, "unsigned text stands before the signed text");
    case PART_TEXT:
        return take_text_line(walk, line);
    case PART_SIGNATURE:
        if (text_is(line, "-----END PGP SIGNATURE-----"))
            walk->part = PART_END;
        else if (text_has_prefix(line, "-"))
            return refuse(walk, "the signature block holds another block");
        return true;
    case PART_END:
        return !line.len || refuse(walk, "unsigned text stands behind the signature");
    }
    return refuse(walk, "unknown part");
}

bool clearsign_open(struct arena *arena, const char *name, struct text bytes, struct text *ret_text, struct err *err)
{
    char *text = arena_alloc(arena, bytes.len + 1);
    struct walk walk = {.part = PART_BEGIN, .text = text};
    struct text rest = bytes, line;
    if (bytes.len && memchr(bytes.ptr, '\0', bytes.len))
        (void)refuse(&walk, "it has NUL bytes");
    while (!walk.why && text_next(&rest, '\n', &line) && take_line(&walk, line))
        ;
    if (!walk.why && walk.part != PART_END)
        (void)refuse(&walk, bytes.len ? "it ends before the end of the signature" : "it is empty");
    if (walk.why) {
        err_set(err, ERR_TRUST, "%s is not one whole signed message: %s", name, walk.why);
        return false;
    }
    *ret_text = (struct text){text, (size_t)(walk.text - text)};
    return true;
}
