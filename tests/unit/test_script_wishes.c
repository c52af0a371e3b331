/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of effect/script_wishes: what scripts of packages would have made. The scripts are short extracts of what
 * distributions have. */
#include "packages.h"

#include "base/auto.h"
#include "effect/script_wishes.h"

static const char *print_account(struct arena *arena, const char *out, const struct wishes *wishes)
{
    for (size_t i = 0; i < wishes->users.count; i++) {
        const struct wish_user *user = &wishes->users.items[i];
        assert_true(user->is_automatic);
        out = arena_printf(arena, "%suser %s", out, user->name);
        if (user->uid != WISH_NUMBER_FREE)
            out = arena_printf(arena, "%s=%u", out, (unsigned)user->uid);
        out = arena_printf(arena, "%s:%s %s%s%s\n", out, user->group, user->home, user->shell ? " " : "",
                           user->shell ? user->shell : "");
    }
    for (size_t i = 0; i < wishes->groups.count; i++) {
        out = arena_printf(arena, "%sgroup %s", out, wishes->groups.items[i].name);
        if (wishes->groups.items[i].gid != WISH_NUMBER_FREE)
            out = arena_printf(arena, "%s=%u", out, (unsigned)wishes->groups.items[i].gid);
        out = arena_printf(arena, "%s\n", out);
    }
    for (size_t i = 0; i < wishes->members.count; i++)
        out =
            arena_printf(arena, "%smember %s %s\n", out, wishes->members.items[i].user, wishes->members.items[i].group);
    return out;
}

static const char *print_wishes(struct arena *arena, const struct wishes *wishes)
{
    static const char *const kinds[] = {
        [MADE_DIRECTORY] = "dir", [MADE_FILE] = "file", [MADE_SYMLINK] = "link", [MADE_COPY] = "copy"};
    const char *out = print_account(arena, "", wishes);
    for (size_t i = 0; i < wishes->made.count; i++) {
        const struct wish_made *made = &wishes->made.items[i];
        assert_true(made->is_automatic);
        out = arena_printf(arena, "%s%s %s", out, kinds[made->kind], made->path);
        if (made->kind != MADE_SYMLINK)
            out = arena_printf(arena, "%s %o %s:%s", out, made->keeps_mode ? 0 : made->mode, made->owner, made->group);
        const char *more = made->kind == MADE_SYMLINK ? made->target
                           : made->kind == MADE_COPY  ? made->source
                                                      : made->content;
        out = arena_printf(arena, "%s%s%s\n", out, more ? " " : "", more ? more : "");
    }
    for (size_t i = 0; i < wishes->owners.count; i++) {
        const struct wish_owner *owner = &wishes->owners.items[i];
        out = arena_printf(arena, "%sowner %s %s:%s", out, owner->path, owner->owner ? owner->owner : "",
                           owner->group ? owner->group : "");
        if (owner->capabilities)
            out = arena_printf(arena, "%s %llx", out, (unsigned long long)owner->capabilities);
        if (owner->mode_lost || owner->mode_set || owner->mode_search)
            out = arena_printf(arena, "%s -%o+%o+%o", out, owner->mode_lost, owner->mode_set, owner->mode_search);
        out = arena_printf(arena, "%s%s\n", out, owner->is_deep ? " deep" : "");
    }
    return out;
}

struct example {
    const char *script, *wishes;
};

static void add_files(struct package *package)
{
    dir_add(package, "/etc/p", 0755);
    dir_add(package, "/var/lib/p", 0700);
    dir_add(package, "/usr/share/p", 0755);
    file_add(package, "/etc/p/conf", "conf");
    file_add(package, "/usr/share/p/a.conf", "a");
    file_add(package, "/usr/share/p/b.conf", "b");
    link_add(package, "/usr/share/p/link", "a.conf");
    file_add(package, "/usr/sbin/p-setup", "x");
}

static const char *wishes_of(void **state, const char *name, const char *script, struct strings *ret_notes)
{
    struct fixture *fixture = *state;
    fixture->package_count = 0;
    struct package *package = package_add(*state, "p");
    struct wishes wishes;
    add_files(package);
    package->scripts.count = 0;
    list_add(&fixture->arena, &package->scripts, ((struct package_script){name, script}));
    set_build(fixture, false);
    const struct package *own[] = {package};
    const struct script_wishes_request request = {.packages = own, .own_count = 1, .set = &fixture->set};
    script_wishes_find(&fixture->arena, &request, &wishes, ret_notes);
    return print_wishes(&fixture->arena, &wishes);
}

static void check_all(void **state, const char *name, const struct example *examples, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        struct strings notes;
        const char *wishes = wishes_of(state, name, examples[i].script, &notes);
        if (strcmp(wishes, examples[i].wishes) != 0)
            fail_msg("%s\ngave:\n%swanted:\n%s", examples[i].script, wishes, examples[i].wishes);
    }
}

static void accounts_are_as_adduser_and_useradd_make_them(void **state)
{
    static const struct example examples[] = {
        {"adduser --quiet --system --group --no-create-home --home /var/lib/x x", "user x:x /var/lib/x\ngroup x\n"},
        {"adduser --system x", "user x:nogroup /nonexistent\n"},
        {"adduser --system --home /srv/x --ingroup y --uid 77 --shell /bin/sh --gecos 'An x' x",
         "user x=77:y /srv/x /bin/sh\ndir /srv/x 755 x:y\n"},
        {"adduser --system --group --home /var/lib/p x", "user x:x /var/lib/p\ngroup x\n"},
        {"addgroup --system --gid 55 g; adduser --group h; addgroup x g; adduser x h",
         "group g=55\ngroup h\nmember x g\nmember x h\n"},
        {"adduser --system --group --force-badname Debian-exim",
         "user Debian-exim:Debian-exim /nonexistent\ngroup Debian-exim\n"},
        {"groupadd -r x || :\nuseradd -r -g x -d /x -s /sbin/nologin -c \"A b\" -G y,z x",
         "user x:x /x /sbin/nologin\ngroup x\nmember x y\nmember x z\n"},
        {"useradd -rmd /srv/x -u 27 x; usermod -a -G g x; usermod --home /y x; gpasswd -a x h",
         "user x=27:x /y\ngroup x=27\nmember x g\nmember x h\ndir /srv/x 755 x:x\n"},
        {"adduser --system x:0; useradd '../x'; adduser --system $U; adduser --system x y z", ""},
        {"adduser $quiet --system x || true", "user x:nogroup /nonexistent\n"},
        {"if [ $RET = x ]; then adduser --system x; mkdir /var/x; chown x /var/x; touch /var/y; fi",
         "user x:nogroup /nonexistent\ndir /var/x 755 x:root\n"},
    };
    check_all(state, "postinst", examples, ARRAY_COUNT(examples));
}

static void a_first_installation_is_what_scripts_find(void **state)
{
    static const struct example examples[] = {
        {"if ! getent passwd x >/dev/null; then adduser --system x; fi", "user x:nogroup /nonexistent\n"},
        {"getent group x >/dev/null 2>&1 || groupadd -r x; getent group x || groupadd y", "group x\n"},
        {"if [ -z \"$(getent passwd x)\" ] && ! id -u x; then addgroup x; fi", "group x\n"},
        {"grep -q '^x:' /etc/passwd || addgroup a; getent passwd | grep -q \"^x:\" || addgroup b",
         "group a\ngroup b\n"},
        {"if test \"$1\" = configure && [ -z \"$2\" ]; then addgroup a; else addgroup b; fi", "group a\n"},
        {"if dpkg --compare-versions \"$2\" lt-nl 1.0; then addgroup a; fi; dpkg --compare-versions \"$2\" lt 1 && "
         "addgroup b",
         "group b\n"},
        {"dpkg-statoverride --list /x >/dev/null || addgroup a; command -v adduser && addgroup b; test -x "
         "/usr/sbin/adduser && addgroup c",
         "group a\ngroup b\ngroup c\n"},
        {"[ -d /etc/p ] && addgroup a; [ ! -e /etc/q ] && addgroup b; [ -f /etc/p/conf ] && addgroup c; [ -f /etc/p ] "
         "&& addgroup d",
         "group a\ngroup b\ngroup c\n"},
        {"mkdir /etc/q; [ -d /etc/q ] && addgroup a; rmdir /etc/q; [ -d /etc/q ] && addgroup b",
         "group a\ndir /etc/q 755 root:root\n"},
        {"[ -d /run/systemd/system ] && addgroup a; case \"$1\" in upgrade) addgroup b;; esac", ""},
        {"dpkg-statoverride --list '/x*' | while read a b c d; do chown $a $d; addgroup x; done", ""},
        {"[ \"$(echo conf.d/x | cut -b -7)\" = conf.d/ ] && addgroup a; [ -n \"$(getent passwd x | cut -d: -f6)\" ] && "
         "addgroup b",
         "group a\n"},
    };
    check_all(state, "postinst", examples, ARRAY_COUNT(examples));
}

static void files_are_made_as_the_commands_make_them(void **state)
{
    static const struct example examples[] = {
        {"mkdir -p -m 0750 /var/lib/x/y /var/lib/p; install -d -oa -gb -m2750 /var/log/x /var/lib/p",
         "dir /var/lib/x/y 750 root:root\ndir /var/lib/p 2750 a:b\ndir /var/log/x 2750 a:b\n"},
        {"install -m 640 -o root -g x /usr/share/p/a.conf /etc/x.conf; install /dev/null /etc/y; install -t /etc/p "
         "/usr/share/p/link",
         "copy /etc/x.conf 640 root:x /usr/share/p/a.conf\nfile /etc/y 755 root:root\ncopy /etc/p/link 755 root:root "
         "/usr/share/p/link\n"},
        {"cp /usr/share/p/*.conf /etc/p; cp -a /usr/share/p /etc/z; cp /usr/share/p/a.conf /etc/$HOME; cp /absent "
         "/etc/w",
         "copy /etc/p/a.conf 644 root:root /usr/share/p/a.conf\ncopy /etc/p/b.conf 644 root:root /usr/share/p/b.conf\n"
         "dir /etc/z 755 root:root\ncopy /etc/z/a.conf 0 root:root /usr/share/p/a.conf\n"
         "copy /etc/z/b.conf 0 root:root /usr/share/p/b.conf\nlink /etc/z/link a.conf\n"},
        {"ucf --three-way /usr/share/p/a.conf /etc/a.conf; ucf --debconf-ok --debconf-template t/x /usr/share/p/b.conf "
         "/etc/b.conf; "
         "ucf /usr/share/p/a.conf /etc/p/conf; ucf --purge /etc/c.conf; chmod 600 /etc/a.conf; chmod o-r /etc/b.conf; "
         "chgrp x /etc/b.conf",
         "copy /etc/a.conf 600 root:root /usr/share/p/a.conf\ncopy /etc/b.conf 640 root:x /usr/share/p/b.conf\n"},
        {"ln -s ../x /etc/l; ln -sf /etc/p/conf /etc/p/conf; ln -s /a /etc/p; ln -s b /etc/p/conf",
         "link /etc/l ../x\nlink /etc/p/conf /etc/p/conf\nlink /etc/p/a /a\n"},
        {"cp /usr/share/p/a.conf /etc/t.new; mv -f /etc/t.new /etc/t; touch /var/log/x /etc/p/conf; echo a > /etc/u; "
         "rm -f /etc/u",
         "copy /etc/t 644 root:root /usr/share/p/a.conf\nfile /var/log/x 644 root:root\n"},
        {"t=$(dpkg-divert --truename /etc/p/conf); [ -z \"$(dpkg-divert --listpackage /etc/p/conf)\" ] && touch $t.x; "
         "ln -sf a.conf /usr/share/p/link; mkdir -p /usr/share/doc/x /usr/share/documents /etc/cron.d",
         "file /etc/p/conf.x 644 root:root\ndir /usr/share/documents 755 root:root\n"},
        {"cat > /etc/x <<EOF\na $1\nEOF\necho b >> /etc/x; echo c >> /etc/p/conf; echo $HOME > /etc/y; echo d > /etc/p",
         "file /etc/x 644 root:root a configure\nb\n\n"},
        {"D=/etc/p; for n in a b; do if [ ! -f $D/$n.conf ]; then cp /usr/share/p/$n.conf $D/$n.new; fi; mv $D/$n.new "
         "$D/$n.conf; done",
         "copy /etc/p/a.conf 644 root:root /usr/share/p/a.conf\ncopy /etc/p/b.conf 644 root:root "
         "/usr/share/p/b.conf\n"},
    };
    check_all(state, "postinst", examples, ARRAY_COUNT(examples));
}

static void new_files_have_what_the_umask_leaves(void **state)
{
    static const struct example examples[] = {
        {"umask 077; echo a > /etc/x; touch /etc/y; mkdir -p /var/x/y; mkdir -m 711 /var/z; install -d /var/i",
         "file /etc/x 600 root:root a\n\nfile /etc/y 600 root:root\ndir /var/x/y 700 root:root\n"
         "dir /var/z 711 root:root\ndir /var/i 755 root:root\n"},
        {"umask 0027; cp /usr/share/p/a.conf /etc/a; cp -p /usr/share/p/a.conf /etc/b; cp /etc/b /etc/c; install "
         "/usr/share/p/a.conf /etc/d; ucf /usr/share/p/a.conf /etc/e; cp -r /usr/share/p /etc/z; chmod +w /etc/a",
         "copy /etc/a 640 root:root /usr/share/p/a.conf\ncopy /etc/b 0 root:root /usr/share/p/a.conf\n"
         "copy /etc/c 640 root:root /usr/share/p/a.conf\ncopy /etc/d 755 root:root /usr/share/p/a.conf\n"
         "copy /etc/e 0 root:root /usr/share/p/a.conf\ndir /etc/z 750 root:root\n"
         "copy /etc/z/a.conf 640 root:root /usr/share/p/a.conf\ncopy /etc/z/b.conf 640 root:root /usr/share/p/b.conf\n"
         "link /etc/z/link a.conf\n"},
        {"old=$(umask); umask 077; touch /etc/a; umask $old; touch /etc/b; (umask 077; touch /etc/c); touch /etc/d; "
         "f=$(umask 077; echo x); touch /etc/e",
         "file /etc/a 600 root:root\nfile /etc/b 644 root:root\nfile /etc/c 600 root:root\nfile /etc/d 644 root:root\n"
         "file /etc/e 644 root:root\n"},
        {"umask u=rwx,g=r,o=; touch /etc/a; umask g+w; touch /etc/b; umask -S; umask; touch /etc/c",
         "file /etc/a 640 root:root\nfile /etc/b 660 root:root\nfile /etc/c 660 root:root\n"},
        {"if [ $HOME ]; then umask 077; fi; touch /etc/a; umask $HOME; touch /etc/b; umask 99; umask 7777777777; touch "
         "/etc/c",
         "file /etc/a 644 root:root\nfile /etc/b 644 root:root\nfile /etc/c 644 root:root\n"},
    };
    check_all(state, "postinst", examples, ARRAY_COUNT(examples));
}

static void owners_and_modes_are_changed(void **state)
{
    static const struct example examples[] = {
        {"chown a:b /etc/p/conf; chown c /etc/p/conf; chgrp 4 /etc/p/conf; chmod u+s,g-w,o= /etc/p/conf",
         "owner /etc/p/conf a:b\nowner /etc/p/conf c:\nowner /etc/p/conf :4\nowner /etc/p/conf : -27+4000+0\n"},
        {"useradd -r -g g x; chown x: /var/lib/p; chown :y /etc/p; chown a.b /etc/p/conf",
         "user x:g /home/x\ndir /var/lib/p 700 x:g\ndir /etc/p 755 0:y\nowner /etc/p/conf a:b\n"},
        {"mkdir /var/x /var/x/y; chown -R a /var/x; chmod -R g+rwX,o-rwx /etc/p; chmod 1777 /var/x",
         "dir /var/x 1777 a:root\ndir /var/x/y 755 a:root\ndir /etc/p 770 0:0\n"
         "owner /var/x a: deep\nowner /etc/p : -7+60+10 deep\n"},
        {"D=/etc/p; find $D ! -uid 0 -print0 | xargs -0 -r chown a; find $D -exec chgrp b {} +; find $D -name x -exec "
         "chown c {} \\;; "
         "find $D -type f | xargs chown d; find $D -exec chmod 1 {} +",
         "dir /etc/p 755 a:b\nowner /etc/p a: deep\nowner /etc/p :b deep\n"},
        {"dpkg-statoverride --update --add a b 0751 /var/lib/p; dpkg-statoverride --add '#5' root 4755 "
         "/usr/sbin/p-setup; dpkg-statoverride --remove /x",
         "dir /var/lib/p 751 a:b\nowner /usr/sbin/p-setup 5:root -7777+4755+0\n"},
        {"P='/var/lib/p\nroot root 4755 /bin/sh'; mkdir -p \"$P\"; chown a \"$P\"; dpkg-statoverride --add a b 0751 "
         "\"$P\"",
         ""}, /* no database that has a line for a path can hold it */
        {"chown $HOME /etc/p; chown a $HOME; chmod u=g /etc/p; chmod 99 /etc/p; chown 'a b' /etc/p; chown "
         "--reference=/x /etc/p; [ $HOME ] && chown a /etc/p",
         ""},
    };
    check_all(state, "postinst", examples, ARRAY_COUNT(examples));
}

static void questions_have_the_answers_of_their_templates(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(*state, "p");
    struct wishes wishes;
    struct strings notes;
    const struct package_script scripts[] = {
        {"templates", "Template: p/user\nDefault: ftp\nTemplate: p/open\nDefault: true\nTemplate: p/empty\n"
                      "Template: p/set\nDefault: no\nTemplate: p/known\nDefault: x"},
        {"config", "db_input low p/user\n[ -f /etc/p ] || db_set p/known \"\"\n[ $HOME ] && db_set p/open false\n"
                   "db_fset p/user changed false\n(db_input low p/user && db_fset p/open changed true) || true\n"},
        {"postinst",
         ". /usr/share/debconf/confmodule\ndb_get p/user\nU=\"${RET:-x}\"\naddgroup $U\n"
         "db_get p/open; [ \"$RET\" = true ] && mkdir /a && touch /b\ndb_get p/empty; [ \"$RET\" ] || addgroup empty\n"
         "db_set p/set yes; db_get p/set; addgroup $RET; db_get q/absent; addgroup a$RET\n"
         "db_get p/known; [ -z \"$RET\" ] && echo known > /k\n"
         "db_fget p/user changed; [ \"$RET\" = true ] && touch /n; [ \"$RET\" = false ] && echo f > /f\n"
         "db_fget p/open changed; [ \"$RET\" = true ] && touch /n\n"
         "[ $HOME ] && db_get p/user; addgroup b$RET"}};
    for (size_t i = 0; i < ARRAY_COUNT(scripts); i++)
        list_add(&fixture->arena, &package->scripts, scripts[i]);
    set_build(fixture, false);
    const struct package *own[] = {package};
    const struct script_wishes_request request = {.packages = own, .own_count = 1, .set = &fixture->set};
    script_wishes_find(&fixture->arena, &request, &wishes, &notes);
    assert_string_equal(print_wishes(&fixture->arena, &wishes),
                        "group ftp\ngroup empty\ngroup yes\ndir /a 755 root:root\nfile /k 644 root:root known\n\n"
                        "file /f 644 root:root f\n\n");
}

static void a_config_script_that_is_not_understood_leaves_all_answers_open(void **state)
{
    static const char *const configs[] = {"#!/usr/bin/perl\nset('p/a', 'x');\n", "if true; then\n"};
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(configs); i++) {
        struct wishes wishes;
        struct strings notes;
        fixture->package_count = 0;
        struct package *package = package_add(*state, "p");
        const struct package_script scripts[] = {{"templates", "Template: p/a\nDefault: ftp\n"},
                                                 {"config", configs[i]},
                                                 {"postinst", "db_get p/a; addgroup $RET; addgroup g"}};
        package->scripts.count = 0;
        for (size_t j = 0; j < ARRAY_COUNT(scripts); j++)
            list_add(&fixture->arena, &package->scripts, scripts[j]);
        set_build(fixture, false);
        const struct package *own[] = {package};
        const struct script_wishes_request request = {.packages = own, .own_count = 1, .set = &fixture->set};
        script_wishes_find(&fixture->arena, &request, &wishes, &notes);
        assert_string_equal(print_wishes(&fixture->arena, &wishes), "group g\n");
    }
}

static void loops_over_what_find_lists_are_unrolled(void **state)
{
    static const struct example examples[] = {
        {"find /etc/p /usr/share/p \\( -uid 0 -o -user root \\) -a -gid 0 | while read f; do chown a $f; done",
         "dir /etc/p 755 a:0\ndir /usr/share/p 755 a:0\nowner /etc/p/conf a:\nowner /usr/share/p/a.conf a:\n"
         "owner /usr/share/p/b.conf a:\nowner /usr/share/p/link a:\n"},
        {"find /usr/share/p -type f -name 'a*' -print | while IFS= read -r f; do chown a \"$f\"; done",
         "owner /usr/share/p/a.conf a:\n"},
        {"mkdir -p /var/x/y/z; for d in $(find /var/x -mindepth 1 -maxdepth 1 -type d); do chown a $d; done",
         "dir /var/x/y/z 755 root:root\n"},
        {"mkdir /var/x /var/x/y /var/x/y/z; find /var/x -mindepth 1 -maxdepth 1 | while read d; do chown a $d; done",
         "dir /var/x 755 root:root\ndir /var/x/y 755 a:root\ndir /var/x/y/z 755 root:root\n"},
        {"echo 'g h i' | while read a b; do addgroup $a; mkdir \"/x/$b\"; done", "group g\ndir /x/h i 755 root:root\n"},
        /* Not known: other conditions and separators, several of which one is enough, what is done with the files. */
        {"find /etc/p -size +1 | while read f; do chown a $f; done; find /etc/p -type f -o -name x | while read f; do "
         "chown a $f; done; find /etc/p ! -type f | while read f; do chown a $f; done; find /etc/p -type d -type f | "
         "while read f; do chown a $f; done; find /etc/p -name c -name d | while read f; do "
         "chown a $f; done; find /etc/p -type f,d | while read f; do chown a $f; done; find /etc/p -delete | while "
         "read "
         "f; do chown a $f; done; echo a:b | while IFS=: read x y; do addgroup $x; done; find $HOME | while read f; do "
         "chown a $f; done",
         ""},
    };
    check_all(state, "postinst", examples, ARRAY_COUNT(examples));
}

static void configuration_is_enabled_by_links(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(*state, "q");
    struct wishes wishes;
    struct strings notes;
    file_add(package, "/etc/apache2/mods-available/ssl.load", "x");
    file_add(package, "/etc/apache2/mods-available/ssl.conf", "x");
    file_add(package, "/etc/lighttpd/conf-available/10-ssl.conf", "x");
    file_add(package, "/usr/share/q/opcache.ini", "; a\n; priority=10\nzend_extension=opcache.so\n");
    file_add(package, "/etc/php/8.2/mods-available/plain.ini", "extension=plain.so\n");
    dir_add(package, "/etc/php/8.2/fpm/conf.d", 0755);
    dir_add(package, "/etc/php/8.2/cli/conf.d", 0755);
    list_add(
        &fixture->arena, &package->scripts,
        ((struct package_script){"postinst", "a2enmod -q ssl absent\nlighty-enable-mod ssl || true\n"
                                             ". /usr/lib/php/php-maintscript-helper\n"
                                             "ucf /usr/share/q/opcache.ini /etc/php/8.2/mods-available/opcache.ini\n"
                                             "php_invoke enmod 8.2 ALL opcache\nphp_invoke enmod 8.2 fpm plain\n"
                                             "php_invoke enmod 8.2 fpm absent; php_invoke enmod ../8.2 ALL opcache\n"
                                             "[ $HOME ] && apache2_invoke enmod ssl"}));
    set_build(fixture, false);
    const struct package *own[] = {package};
    const struct script_wishes_request request = {.packages = own, .own_count = 1, .set = &fixture->set};
    script_wishes_find(&fixture->arena, &request, &wishes, &notes);
    assert_string_equal(print_wishes(&fixture->arena, &wishes),
                        "link /etc/apache2/mods-enabled/ssl.load ../mods-available/ssl.load\n"
                        "link /etc/apache2/mods-enabled/ssl.conf ../mods-available/ssl.conf\n"
                        "link /etc/lighttpd/conf-enabled/10-ssl.conf ../conf-available/10-ssl.conf\n"
                        "copy /etc/php/8.2/mods-available/opcache.ini 0 root:root /usr/share/q/opcache.ini\n"
                        "link /etc/php/8.2/cli/conf.d/10-opcache.ini /etc/php/8.2/mods-available/opcache.ini\n"
                        "link /etc/php/8.2/fpm/conf.d/10-opcache.ini /etc/php/8.2/mods-available/opcache.ini\n"
                        "link /etc/php/8.2/fpm/conf.d/20-plain.ini /etc/php/8.2/mods-available/plain.ini\n");
}

static void capabilities_that_every_container_may_have_are_the_files(void **state)
{
    static const struct example examples[] = {
        {"command -v setcap >/dev/null && setcap cap_net_bind_service,cap_chown+ep /usr/sbin/p-setup",
         "owner /usr/sbin/p-setup : 401\n"},
        {"setcap cap_net_raw+ep /usr/sbin/p-setup; setcap cap_chown+p /usr/sbin/p-setup; setcap -r /usr/sbin/p-setup; "
         "setcap cap_chown,cap_x=ep /usr/sbin/p-setup; [ $HOME ] && setcap cap_chown=ep /usr/sbin/p-setup",
         ""},
    };
    check_all(state, "postinst", examples, ARRAY_COUNT(examples));
}

static void before_the_files_are_there_tests_do_not_find_them(void **state)
{
    static const struct example examples[] = {
        {"[ -d /etc/p ] || addgroup a; [ \"$1\" = install ] && addgroup b", "group a\ngroup b\n"},
    };
    check_all(state, "preinst", examples, ARRAY_COUNT(examples));
}

static void what_is_only_told_is_a_note_with_its_line(void **state)
{
    struct strings notes;
    const char *wishes = wishes_of(state, "postinst",
                                   "#!/bin/sh\np-setup -x >/dev/null || true\n[ $HOME ] && /usr/sbin/p-setup\n"
                                   "sed -i s/a/b/ /etc/p/conf /absent\nfoo; ldconfig; mkdir /etc/q\n"
                                   "date >/etc/d; date >/etc/p/conf; date >/tmp/d; [ $HOME ] && date >>/etc/d\nif",
                                   &notes);
    assert_string_equal(wishes, "dir /etc/q 755 root:root\n");
    assert_int_equal(notes.count, 4);
    assert_string_equal(notes.items[2],
                        "package p: its postinst would write /etc/d, of which the text is not known (line 6), "
                        "which is not run");
    assert_string_equal(notes.items[0], "package p: its postinst would run p-setup (line 2), which is not run");
    assert_string_equal(notes.items[1],
                        "package p: its postinst would edit /etc/p/conf with sed (line 4), which is not run");
    assert_non_null(strstr(notes.items[3], "package p: its postinst is not understood to its end"));
}

static void what_is_made_with_a_program_that_nothing_runs_is_told(void **state)
{
    struct strings notes;
    const char *wishes = wishes_of(
        state, "postinst",
        "CERT=/var/lib/q/q.pem\nif [ ! -e $CERT ]; then\n(umask 27 && runuser -u q -- openssl req -batch -out "
        "$CERT)\nfi\n"
        "su q -c 'q init'\nopenssl version\nssh-keygen -f \"$UNKNOWN$(date)\"\nrunuser -u q -- /usr/bin/openssl x\n",
        &notes);
    assert_string_equal(wishes, "");
    assert_int_equal(notes.count, 4);
    assert_string_equal(notes.items[0],
                        "package p: its postinst would run openssl for /var/lib/q/q.pem (line 3), which is not run");
    assert_string_equal(notes.items[1], "package p: its postinst would run su (line 5), which is not run");
    assert_string_equal(notes.items[2], "package p: its postinst would run openssl (line 6), which is not run");
    assert_string_equal(notes.items[3], "package p: its postinst would run ssh-keygen (line 7), which is not run");
}

static void constant_calls_of_lua_are_read(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(*state, "p");
    struct wishes wishes;
    struct strings notes;
    package->format = &format_rpm;
    list_add(&fixture->arena, &package->scripts,
             ((struct package_script){
                 "prein",
                 "#!<lua>\n-- posix.mkdir('/no')\n--[[ posix.mkdir('/no')\n]] local d = \"/srv/d\"\nposix.mkdir(d)\n"
                 "posix.chmod(d, '0750') posix.chown(d, \"x\", 'y')\n"
                 "if not posix.stat('/srv/e') then posix.mkdir([[/srv/e]]); posix.symlink('a', '/no') end\n"
                 "os.execute(\"getent passwd x >/dev/null || useradd -r -g y -d / x\")\n"
                 "rpm.execute(\"groupadd\", \"-r\", \"y\")\nposix.symlink(\"d\", \"/srv/l\")\n"
                 "posix.mkdir(d .. '/' .. \"f\") posix.mkdir(d .. e) posix.mkdir(f())\n"
                 "rpm.spawn({'useradd', '-r', \"-g\", 'y', '-d' , d, 'z'})\nrpm.spawn({'useradd', name}) "
                 "posix.mkdir(\"/srv/\\x"}));
    set_build(fixture, false);
    const struct package *own[] = {package};
    const struct script_wishes_request request = {.packages = own, .own_count = 1, .set = &fixture->set};
    script_wishes_find(&fixture->arena, &request, &wishes, &notes);
    assert_string_equal(print_wishes(&fixture->arena, &wishes),
                        "user x:y /\nuser z:y /srv/d\ngroup y\ndir /srv/d 750 x:y\ndir /srv/e 755 root:root\n"
                        "link /srv/l d\ndir /srv/d/f 755 root:root\n");
    assert_string_equal(wishes.made.items[0].giver, "the prein of p, line 4");
    assert_int_equal(notes.count, 0);
}

static void names_of_lua_that_may_be_something_else_are_not_known(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(*state, "p");
    struct wishes wishes;
    struct strings notes;
    package->format = &format_rpm;
    list_add(&fixture->arena, &package->scripts,
             ((struct package_script){"prein",
                                      "#!<lua>\nlocal a, b = \"/srv/1\", \"/srv/2\"\nposix.mkdir(a) posix.mkdir(b)\n"
                                      "c = '/srv/3' if x then c = '/srv/4' end posix.mkdir(c)\n"
                                      "d = '/srv/5' for _, d in ipairs({'/srv/6'}) do posix.mkdir(d) end\n"
                                      "e = '/srv/7' local function f(e) posix.mkdir(e) end\n"
                                      "g = '/srv/8' if x then g = '/srv/8' end posix.mkdir(g)\n"}));
    set_build(fixture, false);
    const struct package *own[] = {package};
    const struct script_wishes_request request = {.packages = own, .own_count = 1, .set = &fixture->set};
    script_wishes_find(&fixture->arena, &request, &wishes, &notes);
    assert_string_equal(print_wishes(&fixture->arena, &wishes), "dir /srv/8 755 root:root\n");
}

static void scriptlets_of_fedora_make_their_accounts(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(*state, "p");
    struct wishes wishes;
    struct strings notes;
    package->format = &format_rpm;
    list_add(&fixture->arena, &package->scripts,
             ((struct package_script){"prein", "#!/bin/sh\ngetent group 'x' &>/dev/null || groupadd -f -g '27' -r 'x' "
                                               "|| :\nif ! getent passwd 'x' >/dev/null; then\n"
                                               "  if ! getent passwd '27' >/dev/null; then\n    useradd -r -u '27' -g "
                                               "'x' -d '/var/lib/x' -s '/sbin/nologin' -c 'X' 'x' || :\n"
                                               "  else\n    useradd -r -g 'x' 'y' || :\n  fi\nfi\n[ $1 -eq 1 ] && "
                                               "mkdir /srv/x\n[ $1 -gt 1 ] && mkdir /srv/y\nexit 0\n"}));
    set_build(fixture, false);
    const struct package *own[] = {package};
    const struct script_wishes_request request = {.packages = own, .own_count = 1, .set = &fixture->set};
    script_wishes_find(&fixture->arena, &request, &wishes, &notes);
    assert_string_equal(print_wishes(&fixture->arena, &wishes),
                        "user x=27:x /var/lib/x /sbin/nologin\ngroup x=27\ndir /srv/x 755 root:root\n");
}

static void givers_name_script_package_and_line(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(*state, "nsd");
    struct wishes wishes;
    struct strings notes;
    list_add(&fixture->arena, &package->scripts,
             ((struct package_script){"postinst", "#!/bin/sh\n\nadduser --system nsd\nmkdir /run/nsd\n"}));
    set_build(fixture, false);
    const struct package *own[] = {package};
    const struct script_wishes_request request = {.packages = own, .own_count = 1, .set = &fixture->set};
    script_wishes_find(&fixture->arena, &request, &wishes, &notes);
    assert_string_equal(wishes.users.items[0].giver, "the postinst of nsd, line 3");
    assert_string_equal(wishes.made.items[0].giver, "the postinst of nsd, line 4");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(accounts_are_as_adduser_and_useradd_make_them),
        TEST(a_first_installation_is_what_scripts_find),
        TEST(files_are_made_as_the_commands_make_them),
        TEST(new_files_have_what_the_umask_leaves),
        TEST(owners_and_modes_are_changed),
        TEST(questions_have_the_answers_of_their_templates),
        TEST(a_config_script_that_is_not_understood_leaves_all_answers_open),
        TEST(loops_over_what_find_lists_are_unrolled),
        TEST(configuration_is_enabled_by_links),
        TEST(capabilities_that_every_container_may_have_are_the_files),
        TEST(before_the_files_are_there_tests_do_not_find_them),
        TEST(what_is_only_told_is_a_note_with_its_line),
        TEST(what_is_made_with_a_program_that_nothing_runs_is_told),
        TEST(constant_calls_of_lua_are_read),
        TEST(names_of_lua_that_may_be_something_else_are_not_known),
        TEST(scriptlets_of_fedora_make_their_accounts),
        TEST(givers_name_script_package_and_line),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
