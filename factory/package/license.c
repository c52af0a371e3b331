/* SPDX-License-Identifier: Apache-2.0 */
#include "package/license.h"

#include "base/auto.h"

#include <ctype.h>

#define EXPRESSION_MAX_BYTES ((size_t)65536)

/* Of the SPDX License List 3.x, what packages of distributions have. */
static const char *const known[] = {"0BSD",
                                    "AFL-2.0",
                                    "AFL-2.1",
                                    "AFL-3.0",
                                    "AGPL-1.0-only",
                                    "AGPL-1.0-or-later",
                                    "AGPL-3.0-only",
                                    "AGPL-3.0-or-later",
                                    "Apache-1.0",
                                    "Apache-1.1",
                                    "Apache-2.0",
                                    "APSL-2.0",
                                    "Artistic-1.0",
                                    "Artistic-1.0-cl8",
                                    "Artistic-1.0-Perl",
                                    "Artistic-2.0",
                                    "Baekmuk",
                                    "Beerware",
                                    "Bitstream-Vera",
                                    "BlueOak-1.0.0",
                                    "blessing",
                                    "BSD-1-Clause",
                                    "BSD-2-Clause",
                                    "BSD-2-Clause-Patent",
                                    "BSD-2-Clause-Views",
                                    "BSD-3-Clause",
                                    "BSD-3-Clause-Attribution",
                                    "BSD-3-Clause-Clear",
                                    "BSD-3-Clause-LBNL",
                                    "BSD-4-Clause",
                                    "BSD-4-Clause-UC",
                                    "BSD-Source-Code",
                                    "BSL-1.0",
                                    "bzip2-1.0.6",
                                    "CC-BY-3.0",
                                    "CC-BY-4.0",
                                    "CC-BY-SA-3.0",
                                    "CC-BY-SA-4.0",
                                    "CC0-1.0",
                                    "CDDL-1.0",
                                    "CDDL-1.1",
                                    "CECILL-2.1",
                                    "CECILL-B",
                                    "CECILL-C",
                                    "CPL-1.0",
                                    "curl",
                                    "DOC",
                                    "ECL-2.0",
                                    "EFL-2.0",
                                    "EPL-1.0",
                                    "EPL-2.0",
                                    "EUPL-1.2",
                                    "FSFAP",
                                    "FSFUL",
                                    "FSFULLR",
                                    "FSFULLRWD",
                                    "FTL",
                                    "GFDL-1.1-only",
                                    "GFDL-1.1-or-later",
                                    "GFDL-1.2-only",
                                    "GFDL-1.2-or-later",
                                    "GFDL-1.2-no-invariants-only",
                                    "GFDL-1.2-no-invariants-or-later",
                                    "GFDL-1.3-only",
                                    "GFDL-1.3-or-later",
                                    "GFDL-1.3-no-invariants-only",
                                    "GFDL-1.3-no-invariants-or-later",
                                    "GPL-1.0-only",
                                    "GPL-1.0-or-later",
                                    "GPL-2.0-only",
                                    "GPL-2.0-or-later",
                                    "GPL-3.0-only",
                                    "GPL-3.0-or-later",
                                    "Graphics-Gems",
                                    "HPND",
                                    "HPND-Markus-Kuhn",
                                    "HPND-sell-variant",
                                    "ICU",
                                    "IJG",
                                    "ImageMagick",
                                    "Info-ZIP",
                                    "Intel",
                                    "IPL-1.0",
                                    "ISC",
                                    "ISC-Veillard",
                                    "JasPer-2.0",
                                    "JSON",
                                    "LGPL-2.0-only",
                                    "LGPL-2.0-or-later",
                                    "LGPL-2.1-only",
                                    "LGPL-2.1-or-later",
                                    "LGPL-3.0-only",
                                    "LGPL-3.0-or-later",
                                    "Libpng",
                                    "libpng-2.0",
                                    "libtiff",
                                    "libutil-David-Nugent",
                                    "LLGPL",
                                    "LPPL-1.3c",
                                    "Martin-Birgmeier",
                                    "metamail",
                                    "MirOS",
                                    "MIT",
                                    "MIT-0",
                                    "MIT-CMU",
                                    "MIT-open-group",
                                    "MITNFA",
                                    "mpich2",
                                    "MPL-1.0",
                                    "MPL-1.1",
                                    "MPL-2.0",
                                    "MPL-2.0-no-copyleft-exception",
                                    "MS-PL",
                                    "NAIST-2003",
                                    "NBPL-1.0",
                                    "NCSA",
                                    "NIST-PD",
                                    "Net-SNMP",
                                    "NTP",
                                    "OFL-1.0",
                                    "OFL-1.1",
                                    "OGC-1.0",
                                    "OLDAP-2.7",
                                    "OLDAP-2.8",
                                    "OpenSSL",
                                    "OSL-3.0",
                                    "PHP-3.0",
                                    "PHP-3.01",
                                    "PostgreSQL",
                                    "PSF-2.0",
                                    "psutils",
                                    "Python-2.0",
                                    "Python-2.0.1",
                                    "QPL-1.0",
                                    "RSA-MD",
                                    "Ruby",
                                    "RSA-MD4",
                                    "SAX-PD",
                                    "SGI-B-2.0",
                                    "Sendmail",
                                    "Sendmail-8.23",
                                    "SISSL",
                                    "Sleepycat",
                                    "SMLNJ",
                                    "snprintf",
                                    "SSH-OpenSSH",
                                    "SSH-short",
                                    "Spencer-86",
                                    "Spencer-94",
                                    "Spencer-99",
                                    "SunPro",
                                    "SWL",
                                    "TCL",
                                    "TCP-wrappers",
                                    "TU-Berlin-1.0",
                                    "TU-Berlin-2.0",
                                    "Unicode-3.0",
                                    "Unicode-DFS-2015",
                                    "Unicode-DFS-2016",
                                    "Unlicense",
                                    "UPL-1.0",
                                    "Vim",
                                    "W3C",
                                    "W3C-20150513",
                                    "WTFPL",
                                    "X11",
                                    "X11-distribute-modifications-variant",
                                    "Xerox",
                                    "XFree86-1.1",
                                    "xinetd",
                                    "Xnet",
                                    "xpp",
                                    "Zend-2.0",
                                    "Zlib",
                                    "zlib-acknowledgement",
                                    "ZPL-1.1",
                                    "ZPL-2.0",
                                    "ZPL-2.1"};

static const char *const exceptions[] = {"Asterisk-exception",
                                         "Autoconf-exception-2.0",
                                         "Autoconf-exception-3.0",
                                         "Autoconf-exception-generic",
                                         "Bison-exception-2.2",
                                         "Classpath-exception-2.0",
                                         "cryptsetup-OpenSSL-exception",
                                         "Font-exception-2.0",
                                         "GCC-exception-2.0",
                                         "GCC-exception-3.1",
                                         "GNU-compiler-exception",
                                         "Libtool-exception",
                                         "LLVM-exception",
                                         "LZMA-exception",
                                         "mif-exception",
                                         "OCaml-LGPL-linking-exception",
                                         "openvpn-openssl-exception",
                                         "Swift-exception",
                                         "Texinfo-exception",
                                         "u-boot-exception-2.0",
                                         "Universal-FOSS-exception-1.0",
                                         "x11vnc-openssl-exception"};

/* --- words --- */

static const char *find_in(const char *const *words, size_t count, struct text name)
{
    for (size_t i = 0; i < count; i++) {
        if (text_is_nocase(name, words[i]))
            return words[i];
    }
    return NULL;
}

const char *license_find(struct text name)
{
    return find_in(known, ARRAY_COUNT(known), name);
}

static bool is_of_id(char c)
{
    return isalnum((unsigned char)c) || c == '.' || c == '-';
}

const char *license_ref(struct arena *arena, const char *scheme, struct text name)
{
    char *ref = arena_printf(arena, LICENSE_REF "%s-%.*s", scheme, (int)(name.len < 64 ? name.len : 64), name.ptr);
    for (char *c = ref; *c; c++) {
        if (!is_of_id(*c))
            *c = '-';
    }
    return ref;
}

static bool is_ref(struct text word)
{
    if (!text_has_prefix(word, LICENSE_REF) || word.len == strlen(LICENSE_REF))
        return false;
    for (size_t i = 0; i < word.len; i++) {
        if (!is_of_id(word.ptr[i]))
            return false;
    }
    return true;
}

/* --- expressions --- */

/* An expression being read, word by word; parentheses are words. */
struct reading {
    struct text rest, word; /* the word at the front: empty at the end */
    struct buf *written;    /* what was read, in SPDX's own letters */
    bool is_full;
};

static void step(struct reading *reading)
{
    static const char parentheses[] = "()", ends[] = " \t\r\n()";
    struct text rest = text_trim(reading->rest);
    size_t len = rest.len && strchr(parentheses, *rest.ptr) ? 1 : 0;
    while (len < rest.len && !strchr(parentheses, *rest.ptr) && !strchr(ends, rest.ptr[len]))
        len++;
    reading->word = (struct text){rest.ptr, len};
    reading->rest = (struct text){rest.ptr + len, rest.len - len};
}

/* Goes on behind the word that is at the front, which is written as `word`. */
static void pass(struct reading *reading, struct text word)
{
    struct buf *to = reading->written;
    bool has_blank = to->len && to->bytes[to->len - 1] != '(' && *word.ptr != ')';
    reading->is_full = reading->is_full || !buf_printf(to, "%s%.*s", has_blank ? " " : "", (int)word.len, word.ptr);
    step(reading);
}

static bool take(struct reading *reading, const char *word)
{
    bool is_it = text_is_nocase(reading->word, word);
    if (is_it)
        pass(reading, text_of(word));
    return is_it;
}

/* A licence, also with the '+' of "or later" behind it, or a LicenseRef. */
static bool take_license(struct reading *reading)
{
    struct text name = reading->word;
    const char *found = license_find(name);
    if (!found && name.len > 1 && name.ptr[name.len - 1] == '+' &&
        (found = license_find((struct text){name.ptr, name.len - 1}))) {
        pass(reading, text_of(found));
        reading->is_full = reading->is_full || !buf_add(reading->written, "+", 1);
        return true;
    }
    if (!found && !is_ref(name))
        return false;
    pass(reading, found ? text_of(found) : name);
    return true;
}

/* One licence, "LICENCE WITH EXCEPTION", or '(' as many as may come. */
static bool take_simple(struct reading *reading, size_t *depth)
{
    while (take(reading, "(")) {
        if (++*depth > 32)
            return false;
    }
    if (!take_license(reading))
        return false;
    if (!take(reading, "WITH"))
        return true;
    const char *exception = find_in(exceptions, ARRAY_COUNT(exceptions), reading->word);
    if (exception)
        pass(reading, text_of(exception));
    return exception != NULL;
}

static bool read_all(struct reading *reading)
{
    size_t depth = 0;
    step(reading);
    for (;;) {
        if (!take_simple(reading, &depth))
            return false;
        while (depth && take(reading, ")"))
            depth--;
        if (!reading->word.len)
            return depth == 0 && !reading->is_full;
        if (!take(reading, "AND") && !take(reading, "OR"))
            return false;
    }
}

const char *license_read(struct arena *arena, struct text text)
{
    AUTO(buf_done) struct buf written;
    struct reading reading = {.rest = text, .written = &written};
    buf_init(&written, EXPRESSION_MAX_BYTES);
    return read_all(&reading) ? text_dup(arena, buf_text(&written)) : NULL;
}

const char *license_expression(struct arena *arena, const char *scheme, const char *said)
{
    const char *read = license_read(arena, text_of(said));
    return read ? read : license_ref(arena, scheme, text_of(said));
}

void license_list_refs(struct arena *arena, const char *expression, struct strings *refs)
{
    struct reading reading = {.rest = text_of(expression)};
    for (step(&reading); reading.word.len; step(&reading)) {
        const char *word = text_dup(arena, reading.word);
        if (is_ref(reading.word) && !strings_has(refs, word))
            list_add(arena, refs, word);
    }
}
