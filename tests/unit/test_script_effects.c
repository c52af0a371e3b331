/* SPDX-License-Identifier: Apache-2.0 */
#include "check.h"

#include "base/auto.h"
#include "deb/deb_format.h"
#include "effect/script_effects.h"
#include "effect/shell_words.h"
#include "rpmmd/rpm_format.h"

/* Prints the commands, one a line, words joined by blanks, expanded ones in <>. */
static const char *commands_of(struct arena *arena, const char *script)
{
    struct shell_commands commands;
    shell_commands_list(arena, script, &commands);
    const char *out = "";
    for (size_t i = 0; i < commands.count; i++) {
        for (size_t j = 0; j < commands.items[i].count; j++) {
            const struct shell_word *word = &commands.items[i].items[j];
            out = arena_printf(arena, word->is_constant ? "%s%s%s" : "%s%s<%s>", out, j ? " " : "", word->text);
        }
        out = arena_printf(arena, "%s\n", out);
    }
    return out;
}

static void words_are_read_as_a_shell_reads_them(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const struct {
        const char *script, *commands;
    } cases[] = {
        {"a b c", "a b c\n"},
        {"a 'b c' \"d e\" f\\ g", "a b c d e f g\n"},
        {"a \\\n  b # c\n# adduser x\nd#e", "a b\nd#e\n"},
        {"a; b & c && d || e | f", "a\nb\nc\nd\ne\nf\n"},
        {"a >/dev/null 2>&1 <in b &>x", "a b\n"},
        {"a 2x >y", "a 2x\n"},
        {"if a; then b; elif ! c; then { d; }; fi", "a\nb\nc\nd\n"},
        {"X=1 Y='2 3' exec a", "a\n"},
        {"command -v adduser && command a", "a\n"},
        {"for x in adduser useradd; do a $x; done", "a <$x>\n"},
        {"case \"$1\" in configure|adduser) a ;; esac", "adduser\na\n"},
        {"f() {\n a \"$@\"\n}\nf b", "f\na <$@>\nf b\n"},
        {"a $(b \"$(c d)\") `e f`", "c d\nb <$(c d)>\ne f\na <$(b \"$(c d)\")> <`e f`>\n"},
        {"a ${X:-b c} $((1 + 2)) *.c", "a <${X:-b c}> <$((1 + 2))> <*.c>\n"},
        {"cat <<EOF >x\nadduser y\n EOF\nEOF\nb", "cat\nb\n"},
        {"cat <<-'E F' <<G\n\tadduser y\n\tE F\nuseradd\nG\nb", "cat\nb\n"},
        {"a <<<adduser b", "a b\n"},
        {"a \"unfinished adduser", "a unfinished adduser\n"},
        {"a 'unfinished", "a unfinished\n"},
        {"a $(b", "b\na <$(b>\n"},
        {"a ${b", "a <${b>\n"},
        {"a \\", "a\n"},
        {"cat <<X", "cat\n"},
        {"cat <<X\nadduser y", "cat\n"},
        {"\"\" a", " a\n"},
        {"", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_string_equal(commands_of(&arena, cases[i].script), cases[i].commands);
}

static void deep_substitutions_and_long_scripts_end(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    char *deep = arena_alloc(&arena, 200001);
    for (size_t i = 0; i < 100000; i++)
        memcpy(deep + 2 * i, "$(", 2);
    struct shell_commands commands;
    shell_commands_list(&arena, deep, &commands);
    assert_true(commands.count <= 20000);
    char *many = arena_alloc(&arena, 200001);
    for (size_t i = 0; i < 100000; i++)
        memcpy(many + 2 * i, "a\n", 2);
    shell_commands_list(&arena, many, &commands);
    assert_int_equal(commands.count, 20000);
}

static const char *effects_in(struct arena *arena, const struct format *format, const char *name, const char *text)
{
    struct package package = {.format = format, .name = "p"};
    list_add(arena, &package.scripts, ((struct package_script){name, text}));
    struct script_effects effects;
    script_effects_list(arena, &package, NULL, &effects);
    const char *out = "";
    for (size_t i = 0; i < effects.count; i++)
        out = arena_printf(arena, "%s%s:%s%s ", out, effect_name(effects.items[i].effect), effects.items[i].subject,
                           effects.items[i].is_constant ? "" : "?");
    return out;
}

static const char *effects_of(struct arena *arena, const char *name, const char *text)
{
    return effects_in(arena, &format_deb, name, text);
}

static void each_effect_is_found_with_its_subject(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const struct {
        const char *script, *effects;
    } cases[] = {
        {"adduser --system --group --quiet --home /var/lib/x --gecos 'The x' _x", "adduser:_x "},
        {"adduser $quiet --system postgres", "adduser:postgres "},
        {"getent passwd x >/dev/null || /usr/sbin/useradd -r -g x -d /x -s /sbin/nologin -c \"A b\" x", "adduser:x "},
        {"addgroup --system $GROUP", "addgroup:$GROUP? "},
        {"groupadd -r -g 25 named || :", "addgroup:named "},
        {"update-alternatives --install /l n /p 10", "update-alternatives:n "},
        {"update-alternatives --install $l n /p 10", "update-alternatives:? "},
        {"update-alternatives --remove n /p", ""},
        {"if setcap cap_net_raw+ep $P; then :; fi", "setcap:$P? "},
        {"dpkg-statoverride --list /x; dpkg-statoverride --update --add a b 0750 /x", "dpkg-statoverride:/x "},
        {"ucf --three-way /usr/share/x.conf /etc/x.conf", "ucf:/etc/x.conf "},
        {"ucf -p /etc/x.conf; ucf --purge /etc/y.conf", ""},
        {"for m in a b; do a2enmod -m -q $m; done; a2enmod -q c", "a2enmod:a a2enmod:b a2enmod:c "},
        {"U=x; adduser --system $U; [ \"$1\" = upgrade ] && chown y /y; [ $l ] || chown y /z", "adduser:x chown:/z "},
        {"adduser --system x; if", "adduser:x "},
        {"ssh-keygen -q -f \"$file\"", "ssh-keygen: "},
        {". /usr/share/debconf/confmodule\ndb_get x/y", "debconf:x/y "},
        {"mkdir -p /var/lib/x `dirname $f` y; install -d -m 755 /run/x", "mkdir:/var/lib/x mkdir:/run/x "},
        {"chown root:x /a /b; chmod 755 $c", "chown:/a chown:/b "},
        {"cp -a /a /b; ln -s x /c; install -m 644 a \"$d\"", "install:/b install:/c "},
        {"D=/etc/x; mkdir $D /etc/y; cp a \"$D\"; f() { chown root $1; }; f /etc/z", "mkdir:/etc/y "},
        {"adduser x; adduser x", "adduser:x "},
        {"echo adduser x; # adduser y\nprintf 'adduser %s' z", ""},
        {"systemctl enable x; ldconfig; update-rc.d x defaults; deb-systemd-helper unmask x", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_string_equal(
            effects_of(&arena, "postinst", arena_printf(&arena, "read GROUP P l file c d f\n%s", cases[i].script)),
            cases[i].effects);
}

static void only_scripts_of_an_installation_count(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const struct {
        const struct format *format;
        const char *run[5], *not_run[6];
    } cases[] = {
        {&format_deb, {"preinst", "postinst"}, {"prerm", "postrm", "config", "triggers", "templates", "postin"}},
        {&format_rpm, {"pretrans", "prein", "postin", "posttrans"}, {"preun", "postun", "triggers", "postinst"}},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        for (size_t j = 0; j < ARRAY_COUNT(cases[i].run) && cases[i].run[j]; j++)
            assert_string_equal(effects_in(&arena, cases[i].format, cases[i].run[j], "useradd x"), "adduser:x ");
        for (size_t j = 0; j < ARRAY_COUNT(cases[i].not_run) && cases[i].not_run[j]; j++)
            assert_string_equal(effects_in(&arena, cases[i].format, cases[i].not_run[j], "useradd x"), "");
    }
}

static void a_script_has_no_more_effects_than_anyone_reads(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    AUTO(buf_done) struct buf text;
    buf_init(&text, (size_t)1 << 20);
    assert_true(buf_printf(&text, "chown root"));
    for (int i = 0; i < 60000; i++)
        assert_true(buf_printf(&text, " /srv/%d", i));
    struct package package = {.format = &format_deb, .name = "p"};
    struct package_script script = {"postinst", arena_strndup(&arena, text.bytes, text.len)};
    list_add(&arena, &package.scripts, script);
    struct script_effects effects;
    script_effects_list(&arena, &package, NULL, &effects);
    assert_int_equal(effects.count, 1000);
    assert_string_equal(effects.items[999].subject, "/srv/999");
}

/* Prints what a scriptlet in Lua would do that is listed. */
static const char *effects_of_lua(struct arena *arena, const char *text)
{
    struct package package = {.format = &format_rpm, .name = "p", .version = "1", .architecture = "noarch"};
    struct script_effects effects;
    const char *out = "";
    list_add(arena, &package.scripts, ((struct package_script){"postin", arena_printf(arena, "#!<lua>\n%s", text)}));
    script_effects_list(arena, &package, NULL, &effects);
    for (size_t i = 0; i < effects.count; i++)
        out = arena_printf(arena, "%s%s%s %s", out, i ? ", " : "", effects.items[i].command, effects.items[i].subject);
    return out;
}

static void calls_of_lua_that_nobody_follows_are_told(void **state)
{
    (void)state;
    AUTO(arena_done) struct arena arena = {0};
    static const struct {
        const char *text, *effects;
    } cases[] = {
        {"posix.mkdir('/a') posix.symlink('b', '/c')", "mkdir /a, ln /c"},
        {"for _, d in ipairs({'/a', '/b'}) do posix.mkdir(d) end", "<lua> posix.mkdir()"},
        {"local i = 0 while i < 3 do os.execute('useradd u' .. i) i = i + 1 end", "<lua> os.execute()"},
        {"os.execute 'useradd u' rpm.spawn{'useradd', 'v'}", "useradd u, useradd v"},
        {"function f(x) posix.chmod(x, '0700') end f('/a')", "<lua> posix.chmod()"},
        {"local f = function(x) print(x) end f('/a')", ""},
        {"local p = posix p.mkdir('/a') local m = posix.mkdir m('/b')", "<lua> p.mkdir(/a), <lua> m(/b)"},
        {"f = io.open('/a', 'w') f:write('x') f:close()", "<lua> io.open(/a)"},
        {"f = io.open('/a') g = io.open('/b', 'rb') f:read('*a')", ""},
        {"io.open('/a', 'r+') io.open('/b', mode)", "<lua> io.open(/a), <lua> io.open(/b)"},
        {"posix.mkdir('\\47a')", "<lua> posix.mkdir()"},
        {"load('x')() dofile('/a')", "<lua> load(x), <lua> dofile(/a)"},
        {"if (posix.stat('/a')) then print(string.format('%s', tostring(rpm.expand('%x')))) end", ""},
        {"path = '/a' st = posix.stat(path) if st then os.rename(path, path .. '.' .. n) end os.remove(x)", ""},
        {"os.rename(x, '/a')", "<lua> os.rename()"},
        {"--[==[ posix.mkdir(x) ]] ]==] s = [==[ posix.mkdir(x) ]] ]==]", ""},
    };
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++)
        assert_string_equal(effects_of_lua(&arena, cases[i].text), cases[i].effects);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_are_read_as_a_shell_reads_them),
        cmocka_unit_test(deep_substitutions_and_long_scripts_end),
        cmocka_unit_test(each_effect_is_found_with_its_subject),
        cmocka_unit_test(only_scripts_of_an_installation_count),
        cmocka_unit_test(a_script_has_no_more_effects_than_anyone_reads),
        cmocka_unit_test(calls_of_lua_that_nobody_follows_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
