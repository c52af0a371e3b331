/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of effect/shell_run: what of a script is reached, with which words. */
#include "check.h"

#include "base/auto.h"
#include "effect/shell_run.h"

#include <time.h>

struct told {
    struct arena *arena;
    LIST(const char *) lines;
};

static enum shell_truth take(void *self, const struct shell_call *call, const char **ret_printed)
{
    struct told *told = self;
    const char *line = call->is_sure ? "" : "?";
    (void)ret_printed;
    for (size_t i = 0; i < call->command.count && i < 50; i++)
        line = arena_printf(told->arena, call->command.items[i].is_constant ? "%s%s%s" : "%s%s<%s>", line, i ? " " : "",
                            call->command.items[i].text);
    if (call->output)
        line = arena_printf(told->arena, "%s %s%s[%s]", line, call->is_appending ? ">>" : ">", call->output,
                            call->printed ? call->printed : "");
    list_add(told->arena, &told->lines, line);
    return call->command.items[0].text[0] == 'y'   ? SHELL_TRUTH_YES
           : call->command.items[0].text[0] == 'n' ? SHELL_TRUTH_NO
                                                   : SHELL_TRUTH_MAYBE;
}

static enum shell_truth test(void *self, char what, const char *path)
{
    (void)self;
    (void)what;
    return strcmp(path, "/there") == 0 ? SHELL_TRUTH_YES : SHELL_TRUTH_NO;
}

static const char *source(void *self, const char *path)
{
    (void)self;
    return strcmp(path, "/there") == 0 ? "SOURCED=1" : NULL;
}

static bool run(struct arena *arena, const char *script, struct told *told)
{
    const struct shell_world world = {.self = told, .call = take, .test = test, .source = source};
    struct strings arguments = {0};
    *told = (struct told){.arena = arena};
    list_add(arena, &arguments, "configure");
    return shell_run(arena, script, &arguments, &world);
}

/* The commands that a script tells, one a line; "?" stands before what is not sure. */
static const char *told_of(struct arena *arena, const char *script)
{
    struct told told;
    const char *out = run(arena, script, &told) ? "" : "CUT\n";
    for (size_t i = 0; i < told.lines.count; i++)
        out = arena_printf(arena, "%s%s\n", out, told.lines.items[i]);
    return out;
}

struct example {
    const char *script, *told;
};

static void check_all(const struct example *examples, size_t count)
{
    AUTO(arena_done) struct arena arena = {0};
    for (size_t i = 0; i < count; i++) {
        const char *told = told_of(&arena, examples[i].script);
        if (strcmp(told, examples[i].told) != 0)
            fail_msg("%s\ngave:\n%swanted:\n%s", examples[i].script, told, examples[i].told);
    }
}

static void words_are_expanded_from_what_is_known(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"A=x; B=\"$A y\"; c $A $B \"$B\" '$B' ${A}z", "c x x y x y $B xz\n"},
        {"c $UNSET \"$UNSET\" $HOME \"$(d)\" `e`", "d\ne\nc  <$HOME> <$(d)> <`e`>\n"},
        {"A=; c ${A:-b} ${A-b} ${B:-c} ${B:=d} $B ${A:+e} ${B:+f}", "c b c d d f\n"},
        {"A=/a/b.c.d; c ${A#*/} ${A##*/} ${A%.*} ${A%%.*} ${A#x}", "c a/b.c.d b.c.d /a/b.c /a/b /a/b.c.d\n"},
        {"c $(dirname /a/b) $(basename /a/b) \"$(echo x y)\"", "c /a b x y\n"},
        {"c \"a\\$b\" a\\ b \"a\\b\" $'x'", "c a$b a b a\\b $x\n"},
        {"c $((1 + 2)) ${#A} ~/x", "c <$((1 + 2))> <${#A}> <~/x>\n"},
        {"A=1 B=2 c $A; d $A", "c\nd\n"},
        {"export A=b; local C=d; c $A $C; unset A; c $A", "c b d\nc\n"},
        {". /there; c $SOURCED $OTHER; . /elsewhere; c $OTHER", "c 1\nc <$OTHER>\n"},
        {"eval 'A=b; c $A'; d $A", "c b\nd b\n"},
        {"read A; c $A", "c <$A>\n"},
        {"cat >/etc/x <<EOF\na $1\nEOF\ncat >>/etc/x <<'EOF'\n$1\nEOF",
         "cat >/etc/x[a configure\n]\ncat >>/etc/x[$1\n]\n"},
        {"echo a b > /etc/x; for i in 1 2; do echo $i; done >> /etc/x; :>/y; z >/dev/null",
         "echo a b >/etc/x[a b\n]\necho >>/etc/x[1\n2\n]\n: >/y[]\nz\n"},
    };
    check_all(examples, ARRAY_COUNT(examples));
}

static void conditions_that_are_known_are_decided(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"if [ \"$1\" = configure ]; then a; else b; fi", "a\n"},
        {"if [ -z \"$2\" ]; then a; elif c; then d; else b; fi", "a\n"},
        {"if test -n \"$2\"; then a; fi; [ \"$1\" != x ] && b; [ $1 = x ] || c", "b\nc\n"},
        {"case \"$1\" in install|upgrade) a;; conf*) b;; *) c;; esac; case $2 in '') d;; esac", "b\nd\n"},
        {"[ -e /there -a ! -d /not ] && a; [ -f /not -o -e /there ] && b; ! [ -e /not ] && c", "a\nb\nc\n"},
        {"[ 1 -eq 1 ] && a; [ 2 -gt 10 ] || b; [ x -eq 1 ] || c", "a\nb\nc\n"},
        {"yes && a; no && b; no || c; ! no && d; yes || e", "yes\na\nno\nno\nc\nno\nd\nyes\n"},
        {"f() { [ $# -eq 1 ] || return 1; a $1; }; f x && b; f", "a x\n?b\n"},
        {"set -e; set -o pipefail +x; a $1; set -- b; a $1", "a configure\na b\n"},
        {"exit 0\na", ""},
        {"f() { exit; }; f; a", ""},
        {"( exit 1 ); a; ( exit 1 ) || b; ( return; c ); d", "a\nb\nd\n"},
        {"A=1; ( A=2; a $A; [ -z $HOME ] && exit ); a $A; B=$(C=1; echo x); b $B $C", "a 2\na 1\nb x\n"},
        {"x=`exit 1`; a", "a\n"},
        {"while [ -z \"$A\" ]; do A=1; a; done; until no; do b; break; done", "a\nno\nb\n"},
        {"for i in 1 2 3; do [ $i = 2 ] && continue; [ $i = 3 ] && break; a $i; done; b", "a 1\nb\n"},
        {"set -- x y; for i; do a $i; done; shift; b $1 \"$@\"", "a x\na y\nb y y\n"},
    };
    check_all(examples, ARRAY_COUNT(examples));
}

static void what_cannot_be_decided_is_gone_through_both_ways(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"if m; then a; A=1; B=1; else b; A=1; B=2; fi; c $A $B", "m\n?a\n?b\nc 1 <$B>\n"},
        {"A=1; m && A=2; c $A; m || A=1; c $A", "m\nc <$A>\nm\nc <$A>\n"},
        {"A=1; m && A=1; c $A", "m\nc 1\n"},
        {"case $HOME in a) A=1; a;; b) b;; *) c;; esac; d $A", "?a\n?b\n?c\nd <$A>\n"},
        {"m || exit 1; a", "m\na\n"},
        {"m && exit 0; a", "m\n?a\n"},
        {"if m; then exit 0; else exit 0; fi; a", "m\n"},
        {"f() { m && return; a; }; f; b", "m\n?a\nb\n"},
        {"for i in 1 2; do m && break; a $i; done; b", "m\n?a 1\n?m\n?a 2\nb\n"},
        {"for i in $HOME x; do a $i; done; b $i", "?a <$i>\na x\nb x\n"},
        {"while m; do a; done; b", "m\n?a\nb\n"},
        {"[ \"$HOME\" = x ] && a; [ -e $HOME ] || b", "?a\n?b\n"},
        {"m | while read a; do b $a; done; c", "m\n?b <$a>\nc\n"},
    };
    check_all(examples, ARRAY_COUNT(examples));
}

static void what_is_no_shell_is_told_as_far_as_it_is(void **state)
{
    (void)state;
    static const struct example examples[] = {
        {"a; if b; then c", "CUT\na\nb\n?c\n"},
        {"a; fi; b", "CUT\na\n"},
        {"a; ) b", "CUT\na\n"},
        {"case x in", "CUT\n"},
        {"case x", "CUT\n"},
        {"for; do a; done", "CUT\n"},
        {"a; { b", "CUT\na\nb\n"},
        {"a &&", "CUT\na\n"},
        {"function", "CUT\n"},
        {"f()", "CUT\n"},
    };
    check_all(examples, ARRAY_COUNT(examples));
}

/* A script of `count` pieces; "%zu" in a piece is its number. */
static const char *repeated(struct arena *arena, const char *first, const char *piece, size_t count, const char *last)
{
    AUTO(buf_done) struct buf text;
    buf_init(&text, (size_t)64 << 20);
    assert_true(buf_printf(&text, "%s", first));
    for (size_t i = 0; i < count; i++) {
        for (const char *c = piece; *c; c++)
            assert_true(*c == '%' ? buf_printf(&text, "%zu", i) : buf_printf(&text, "%c", *c));
    }
    assert_true(buf_printf(&text, "%s", last));
    return arena_strndup(arena, text.bytes, text.len);
}

static void hostile_scripts_end_soon(void **state)
{
    (void)state;
    static const struct {
        const char *first, *piece;
        size_t count;
        const char *last;
        bool is_whole;
    } cases[] = {
        {"", "a%=1\n", 1000000, "", false},
        {"", "f%() { g; }\n", 8000, "", true},
        {"f() { f; f; }\n", "", 0, "f", false},
        {"f0() { a; }\n", "f%() { f; f; f; f; f; f; f; f; }\nf() { f%; }\n", 1000, "f", false},
        {"A=x\n", "A=$A$A\n", 100, "c $A", true},
        {"A=xxxxxxxxxxxxxxxx\n", "A=$A$A\nc $A $A $A $A $A $A $A $A\n", 10000, "", false},
        {"", "if m; then A%=1\n", 50, "", false},
        {"", "if m; then A=%; else B=%; fi\n", 5000, "", true},
        {"", "(", 100000, "", false},
        {"", "$(", 100000, "", false},
        {"", "`", 99999, "", true},
        {"", "${a:-", 100000, "", true},
        {"", "a && ", 20000, "b", true},
        {"", "a | ", 20000, "b", true},
        {"if a; then b; ", "elif c; then d; ", 4000, "fi", false},
        {"for i in ", "% ", 2000, "; do a; done", false},
        {"while :; do :; done", "", 0, "", false},
        {"for i in 1 2 3 4 5 6 7 8 9; do for j in 1 2 3 4 5 6 7 8 9; do for k in 1 2 3 4 5 6 7 8 9; do a; done; done; "
         "done; for i in 1 2 3 4 5 6 7 8 9; do for j in 1 2 3 4 5 6 7 8 9; do for k in 1 2 3 4 5 6 7 8 9; do a; done; "
         "done; done",
         "", 0, "", false},
        {"A=", "x", 60000, "\nB=${A%%*x*x*x*x*y}; case $A in *x*x*x*x*x*y) a;; esac", false},
        {"cat <<E\n", "$A ${B:-c} $(d)\n", 20000, "E\n", true},
        {"A=\"", "x ", 30000, "\"; for i in $A $A; do c $A $A; d $A; done", false},
        {"eval 'eval a'\n", "eval \"a $A\"; A=\"$A b\"\n", 5000, "", false},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        AUTO(arena_done) struct arena arena = {0};
        struct told told;
        struct timespec begin, end;
        clock_gettime(CLOCK_MONOTONIC, &begin);
        bool is_whole =
            run(&arena, repeated(&arena, cases[i].first, cases[i].piece, cases[i].count, cases[i].last), &told);
        clock_gettime(CLOCK_MONOTONIC, &end);
        if (getenv("SHOW"))
            printf("%zu: %ld ms, %zu MB, whole %d\n", i,
                   (long)((end.tv_sec - begin.tv_sec) * 1000 + (end.tv_nsec - begin.tv_nsec) / 1000000),
                   arena.used_bytes >> 20, is_whole);
        if (end.tv_sec - begin.tv_sec > 20)
            fail_msg("case %zu takes %ld s", i, (long)(end.tv_sec - begin.tv_sec));
        if (is_whole != cases[i].is_whole)
            fail_msg("case %zu: whole is %d", i, is_whole);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_expanded_from_what_is_known),
        cmocka_unit_test(conditions_that_are_known_are_decided),
        cmocka_unit_test(what_cannot_be_decided_is_gone_through_both_ways),
        cmocka_unit_test(what_is_no_shell_is_told_as_far_as_it_is),
        cmocka_unit_test(hostile_scripts_end_soon),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
