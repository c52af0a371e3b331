/* SPDX-License-Identifier: Apache-2.0 */
/* Unit tests of service/ and plan/foreground: how a packaged service is run, from units and scripts written by hand. */
#include "folder.h"
#include "packages.h"

#include "plan/foreground.h"
#include "service/running.h"

#define UNITS "/usr/lib/systemd/system"

/* Asks about a program of the fixture's packages. */
static bool find_beside(struct fixture *fixture, const char *program, const char *source, const struct wishes *made,
                        struct running *ret_running)
{
    static struct foregrounds foregrounds;
    struct strings dirs = {0};
    list_add(&fixture->arena, &dirs, SOURCE_DIR "/manifests/foreground");
    CHECK_OK(foregrounds_load(&fixture->arena, &dirs, &foregrounds, &fixture->err), &fixture->err);
    struct running_question question = {.packaged = {&fixture->set, fixture->set.packages, fixture->set.package_count},
                                        .program = program,
                                        .source = source,
                                        .foregrounds = &foregrounds,
                                        .made = made};
    return running_find(&fixture->arena, &question, ret_running, &fixture->err);
}

static bool find(struct fixture *fixture, const char *program, const char *source, struct running *ret_running)
{
    return find_beside(fixture, program, source, NULL, ret_running);
}

static struct running found(struct fixture *fixture, const char *program)
{
    struct running running;
    CHECK_OK(find(fixture, program, NULL, &running), &fixture->err);
    return running;
}

static const char *command(struct fixture *fixture, const struct running *running)
{
    const char *entrypoint = strings_join(&fixture->arena, &running->config.entrypoint, "|");
    return running->config.cmd.count ? arena_printf(&fixture->arena, "%s|%s", entrypoint,
                                                    strings_join(&fixture->arena, &running->config.cmd, "|"))
                                     : entrypoint;
}

static struct package *service_add(struct fixture *fixture, const char *unit)
{
    struct package *package = package_add(fixture, "d");
    file_add(package, "/usr/sbin/d", "program");
    file_add(package, UNITS "/d.service", unit);
    return package;
}

/* "PATH MODE OWNER:GROUP (GIVER)" of what is made there. */
static const char *made(struct fixture *fixture, const struct running *running, const char *path)
{
    const struct wish_made *wish = wishes_made(&running->wishes, path);
    assert_non_null(wish);
    return arena_printf(&fixture->arena, "%o %s:%s (%s)", wish->mode, wish->owner, wish->group, wish->giver);
}

static bool has_note(const struct running *running, const char *part)
{
    for (size_t i = 0; i < running->notes.count; i++) {
        if (strstr(running->notes.items[i], part))
            return true;
    }
    return false;
}

static void variables_and_specifiers_of_a_command_are_put_in(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = service_add(fixture, "[Service]\n"
                                                   "EnvironmentFile=-/etc/default/%p\n"
                                                   "EnvironmentFile=-/etc/default/absent\n"
                                                   "Environment=\"A=a b\" B=x\n"
                                                   "ExecStart=-/usr/sbin/d $OPTS ${A} $NONE x${B}y 'q \"q' \\\n"
                                                   "  # a comment\n"
                                                   "  -r %t/%n $$HOME %%\n");
    file_add(package, "/etc/default/d", "# options\nOPTS=\"-a 'b c'\"\nOTHER='for the daemon'\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_string_equal(command(fixture, &running), "/usr/sbin/d|-a|b c|a b|xxy|q \"q|-r|/run/d.service|$HOME|%");
    assert_int_equal(running.wishes.env.count, 1);
    assert_string_equal(running.wishes.env.items[0].name, "OTHER");
    assert_string_equal(running.wishes.env.items[0].value, "for the daemon");
    assert_string_equal(running.told_by, "d.service of package d");
}

static void a_drop_in_adds_and_an_empty_value_takes_back(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = service_add(fixture, "[Service]\nExecStart=/usr/sbin/d -old\nUser=old\n");
    file_add(package, UNITS "/d.service.d/20.conf", "[Service]\nExecStart=\nExecStart=/usr/sbin/d -new\n");
    file_add(package, UNITS "/d.service.d/10.conf", "; first\n[Service]\nUser=new\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_string_equal(command(fixture, &running), "/usr/sbin/d|-new");
    assert_string_equal(running.config.user, "new");
}

static void directories_of_a_unit_are_its_users(void **state)
{
    struct fixture *fixture = *state;
    service_add(fixture, "[Service]\nExecStart=/usr/sbin/d\nUser=u\nGroup=g\nRuntimeDirectory=%p a/b\n"
                         "RuntimeDirectoryMode=2750\nStateDirectory=s:link\nConfigurationDirectory=d\n"
                         "LogsDirectory=../../etc\nCacheDirectory=/abs\nPIDFile=/var/run/pids/d.pid\n"
                         "WorkingDirectory=-/var/lib/s\nKillSignal=SIGINT\nUMask=0027\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_string_equal(made(fixture, &running, "/run/d"), "2750 u:g (RuntimeDirectory= of d.service)");
    assert_string_equal(made(fixture, &running, "/run/a/b"), "2750 u:g (RuntimeDirectory= of d.service)");
    assert_string_equal(made(fixture, &running, "/var/lib/s"), "755 u:g (StateDirectory= of d.service)");
    assert_string_equal(made(fixture, &running, "/etc/d"), "755 root:root (ConfigurationDirectory= of d.service)");
    assert_string_equal(made(fixture, &running, "/run/pids"), "755 u:g (PIDFile= of d.service)");
    assert_int_equal(running.wishes.made.count, 5);
    assert_true(has_note(&running, "LogsDirectory=../../etc is no place below /var/log"));
    assert_true(has_note(&running, "CacheDirectory=/abs is no place below /var/cache"));
    assert_int_equal(running.config.volumes.count, 1);
    assert_string_equal(running.config.volumes.items[0], "/var/lib/s");
    assert_string_equal(running.config.user, "u:g");
    assert_string_equal(running.config.working_dir, "/var/lib/s");
    assert_string_equal(running.config.stop_signal, "SIGINT");
    assert_true(has_note(&running, "UMask=0027"));
}

static void a_user_that_systemd_makes_is_made(void **state)
{
    struct fixture *fixture = *state;
    service_add(fixture, "[Service]\nExecStart=!!/usr/sbin/d\nDynamicUser=yes\nStateDirectory=d\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_int_equal(running.wishes.users.count, 1);
    assert_string_equal(running.wishes.users.items[0].name, "d");
    assert_string_equal(running.wishes.users.items[0].giver, "DynamicUser= of d.service");
    assert_string_equal(running.config.user, "d");
    assert_string_equal(made(fixture, &running, "/var/lib/d"), "755 d:d (StateDirectory= of d.service)");
}

static void a_command_with_full_rights_begins_as_root(void **state)
{
    struct fixture *fixture = *state;
    service_add(fixture, "[Service]\nExecStart=!/usr/sbin/d\nUser=u\nRuntimeDirectory=d\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_null(running.config.user);
    assert_string_equal(made(fixture, &running, "/run/d"), "755 u:u (RuntimeDirectory= of d.service)");
}

static void commands_before_a_service_make_directories_and_the_rest_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct package *package =
        service_add(fixture, "[Service]\nExecStart=/usr/sbin/d\nExecStartPre=/bin/mkdir -p -m 0750 /run/a\n"
                             "ExecStartPre=-/usr/bin/install -d -o u -g g -m2755 /var/run/b\n"
                             "ExecStartPre=/bin/sh -c '[ -d /run/c ] || mkdir /run/c; chown u: /run/c'\n"
                             "ExecStartPre=/usr/lib/d/prepare\nExecStartPre=/usr/sbin/d --check\n");
    file_add(package, "/usr/lib/d/prepare", "#!/bin/sh\nDIR=/var/lib/e\nmkdir -p \"$DIR\"\nchmod 700 $DIR\n")
        ->interpreter = "/bin/sh";
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_string_equal(made(fixture, &running, "/run/a"), "750 root:root (ExecStartPre= of d.service)");
    assert_string_equal(made(fixture, &running, "/run/b"), "2755 u:g (ExecStartPre= of d.service)");
    assert_string_equal(made(fixture, &running, "/run/c"), "755 u:u (ExecStartPre= of d.service)");
    assert_string_equal(made(fixture, &running, "/var/lib/e"), "700 root:root (ExecStartPre= of d.service)");
    assert_true(has_note(&running, "ExecStartPre= runs '/usr/sbin/d --check'"));
    assert_false(has_note(&running, "prepare"));
}

static void a_program_that_forks_gets_its_switch(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "nginx-common");
    file_add(package, "/usr/sbin/nginx", "program");
    file_add(package, UNITS "/nginx.service",
             "[Service]\nType=forking\nExecStart=/usr/sbin/nginx -g 'daemon on; master_process on;' -q\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/nginx");
    assert_string_equal(command(fixture, &running), "/usr/sbin/nginx|-g|daemon off;|-q");
}

static void a_program_that_forks_and_is_not_known_is_told(void **state)
{
    struct fixture *fixture = *state;
    service_add(fixture, "[Service]\nType=forking\nExecStart=/usr/sbin/d\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_true(
        has_note(&running, "d.service: it forks, and no switch is known that keeps /usr/sbin/d in the foreground"));
}

static void a_program_that_stays_is_left_alone(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "nsd");
    file_add(package, "/usr/sbin/nsd", "program");
    file_add(package, UNITS "/nsd.service", "[Service]\nExecStart=/usr/sbin/nsd -x\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/nsd");
    assert_string_equal(command(fixture, &running), "/usr/sbin/nsd|-x");
}

static void variables_that_are_options_become_them(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "etcd-server");
    file_add(package, "/usr/bin/etcd", "program");
    file_add(package, UNITS "/etcd.service",
             "[Service]\nExecStart=/usr/bin/etcd\nEnvironment=ETCD_DATA_DIR=/var/lib/etcd/%p LANG=C\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/bin/etcd");
    assert_string_equal(command(fixture, &running), "/usr/bin/etcd|--data-dir=/var/lib/etcd/etcd");
    assert_int_equal(running.wishes.env.count, 1);
    assert_string_equal(running.wishes.env.items[0].name, "LANG");
}

static void the_unit_is_the_one_that_starts_the_program(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tor");
    file_add(package, "/usr/bin/tor", "program");
    file_add(package, UNITS "/tor.service", "[Service]\nType=oneshot\nExecStart=/bin/true\n");
    file_add(package, UNITS "/tor@.service", "[Service]\nExecStart=/usr/bin/tor -i %i\n");
    file_add(package, UNITS "/tor@default.service", "[Service]\nExecStart=/usr/bin/tor -f %i\n");
    file_add(package, UNITS "/tor-check.service", "[Service]\nType=oneshot\nExecStart=/usr/bin/tor --verify\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/bin/tor");
    assert_string_equal(running.told_by, "tor@default.service of package tor");
    assert_string_equal(command(fixture, &running), "/usr/bin/tor|-f|default");
}

static void a_service_that_is_enabled_is_no_job_for_the_timer_beside_it(void **state)
{
    struct fixture *fixture = *state;
    struct package *package =
        service_add(fixture, "[Service]\nExecStart=/usr/sbin/d "
                             "run\nUser=u\nWorkingDirectory=/var/d/\n[Install]\nWantedBy=multi-user.target\n");
    file_add(package, UNITS "/d.timer", "[Timer]\nOnCalendar=daily\n");
    file_add(package, "/etc/init.d/d",
             "#!/bin/sh\nDAEMON=/usr/sbin/d\nstart-stop-daemon --start --exec $DAEMON -- start\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_string_equal(command(fixture, &running), "/usr/sbin/d|run");
    assert_string_equal(running.config.user, "u");
    assert_string_equal(running.config.working_dir, "/var/d");
}

static void of_several_units_the_one_named_like_the_program_counts(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = service_add(fixture, "[Service]\nExecStart=/usr/sbin/d -plain\n");
    file_add(package, UNITS "/a-debug.service", "[Service]\nExecStart=/usr/sbin/d -debug\n");
    file_add(package, UNITS "/d@.service", "[Service]\nExecStart=/usr/sbin/d -one %i\n");
    file_add(package, UNITS "/d@.socket", "[Socket]\nListenStream=7\nAccept=yes\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_string_equal(command(fixture, &running), "/usr/sbin/d|-plain");
}

static void a_template_is_the_instance_that_a_link_names(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "d");
    file_add(package, "/usr/sbin/d", "program");
    file_add(package, UNITS "/d@.service", "[Service]\nExecStart=/usr/sbin/d -c /etc/%i.conf %I\n");
    link_add(package, UNITS "/multi-user.target.wants/d@main-x.service", "../d@.service");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_string_equal(command(fixture, &running), "/usr/sbin/d|-c|/etc/main-x.conf|main/x");
}

static void a_link_to_the_program_is_the_program(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = service_add(fixture, "[Service]\nExecStart=/sbin/alias -x\n");
    link_add(package, "/usr/sbin/alias", "d");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_string_equal(command(fixture, &running), "/sbin/alias|-x");
    assert_string_equal(running.wishes.files.items[0].path, "/sbin/alias");
}

static void what_a_wrapper_becomes_is_the_command(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = service_add(fixture, "[Service]\nType=forking\nExecStart=/usr/lib/d/wrapper start\n");
    file_add(package, "/usr/lib/d/wrapper",
             "#!/bin/sh\nDAEMON=/usr/sbin/d\n. /etc/default/d\n$DAEMON --check\nexec $DAEMON $OPTS -w\n")
        ->interpreter = "/bin/sh -e";
    file_add(package, "/etc/default/d", "OPTS='-a -b'\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_string_equal(command(fixture, &running), "/usr/sbin/d|-a|-b|-w");
}

static void a_script_is_started_by_its_interpreter(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "s");
    file_add(package, "/usr/bin/s", "#!/usr/bin/perl\n")->interpreter = "/usr/bin/perl";
    file_add(package, UNITS "/s.service", "[Service]\nExecStart=/usr/bin/perl -w /usr/bin/s --go\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/bin/s");
    assert_string_equal(command(fixture, &running), "/usr/bin/perl|-w|/usr/bin/s|--go");
    assert_string_equal(running.wishes.files.items[0].path, "/usr/bin/perl");
    assert_string_equal(running.wishes.files.items[0].giver, "ExecStart= of s.service");
}

static void an_init_script_tells_where_no_unit_does(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "d");
    file_add(package, "/usr/sbin/d", "program");
    file_add(package, "/etc/init.d/d",
             "#!/bin/sh\nNAME=d\nDAEMON=/usr/sbin/$NAME\nPIDFILE=/var/run/$NAME/$NAME.pid\nDAEMON_OPTS=\"-x\"\n"
             "[ -r /etc/default/$NAME ] && . /etc/default/$NAME\n"
             "do_start() {\n  install -d -o u /run/lock/d\n"
             "  start-stop-daemon --start --quiet --pidfile $PIDFILE --exec $DAEMON --test || return 1\n"
             "  start-stop-daemon --start -c u:g --background -m --pidfile $PIDFILE -x $DAEMON -- $DAEMON_OPTS "
             "${MORE:-y}\n}\n"
             "case \"$1\" in\n  start) do_start ;;\n  *) exit 1 ;;\nesac\n");
    file_add(package, "/etc/default/d", "DAEMON_OPTS=\"-v -w\"\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_string_equal(running.told_by, "/etc/init.d/d of package d");
    assert_string_equal(command(fixture, &running), "/usr/sbin/d|-v|-w|y");
    assert_string_equal(running.config.user, "u:g");
    assert_string_equal(made(fixture, &running, "/run/d"), "755 u:g (the init script /etc/init.d/d)");
    assert_string_equal(made(fixture, &running, "/run/lock/d"), "755 u:root (the init script /etc/init.d/d)");
    assert_false(has_note(&running, "forks"));
}

static void a_program_of_which_nothing_says_how_it_is_run_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "d");
    file_add(package, "/usr/sbin/d", "program");
    file_add(package, "/usr/sbin/nsd", "program");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_true(has_note(&running, "says how /usr/sbin/d is run: the image starts it without a word more"));
    running = found(fixture, "/usr/sbin/nsd");
    assert_true(has_note(&running, "the image starts it so that it stays in the foreground"));
}

static void what_a_program_needs_besides_is_told_also_where_it_does_not_fork(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "clamav-daemon");
    file_add(package, "/usr/sbin/clamd", "program");
    file_add(package, UNITS "/clamd.service", "[Service]\nExecStart=/usr/sbin/clamd --foreground=true\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/clamd");
    assert_string_equal(command(fixture, &running), "/usr/sbin/clamd|--foreground=true");
    assert_true(has_note(&running, "/usr/sbin/clamd: it ends without virus databases in /var/lib/clamav"));
}

static void what_an_init_script_reads_from_a_file_that_is_not_there_is_not_made_up(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "tftpd-hpa");
    file_add(package, "/usr/sbin/in.tftpd", "program");
    file_add(package, "/etc/init.d/tftpd-hpa",
             "#!/bin/sh\n. /etc/default/tftpd-hpa\n"
             "start-stop-daemon --start --exec /usr/sbin/in.tftpd -- --listen --user $TFTP_USERNAME\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/in.tftpd");
    assert_string_equal(command(fixture, &running), "/usr/sbin/in.tftpd|--foreground");
}

static void an_init_script_that_leaves_without_configuration_is_read_as_if_there_were_some(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "d");
    file_add(package, "/usr/sbin/d", "program");
    file_add(package, "/etc/init.d/d",
             "#!/bin/sh\n[ -f /etc/d.conf ] || exit 0\n[ -r /etc/default/d ] && . /etc/default/d\n"
             "[ -d /run/d ] || ( mkdir -m 750 /run/d; chown u:g /run/d )\n"
             "start-stop-daemon --start --pidfile /run/d/d.pid --exec /usr/sbin/d -- -x\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_string_equal(command(fixture, &running), "/usr/sbin/d|-x");
    assert_string_equal(made(fixture, &running, "/run/d"), "750 u:g (the init script /etc/init.d/d)");
    struct running again; /* in a further round it is not there yet all the same */
    CHECK_OK(find_beside(fixture, "/usr/sbin/d", NULL, &running.wishes, &again), &fixture->err);
    assert_string_equal(made(fixture, &again, "/run/d"), "750 u:g (the init script /etc/init.d/d)");
}

static void ports_come_from_sockets_then_profiles_then_firewalld(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = service_add(fixture, "[Service]\nExecStart=/usr/sbin/d\n");
    file_add(package, "/etc/ufw/applications.d/d", "[D]\ntitle=D\nports=80,443/tcp|53|6000:6001/udp\n");
    file_add(package, "/usr/lib/firewalld/services/d.xml",
             "<?xml version=\"1.0\"?>\n<service><port protocol=\"tcp\" port=\"99\"/></service>\n");
    struct entry *socket = file_add(package, UNITS "/d.socket",
                                    "[Socket]\nListenStream=/run/d.sock\nListenStream=[::]:25\nListenDatagram=514\n"
                                    "ListenStream=127.0.0.1:99\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_string_equal(strings_join(&fixture->arena, &running.config.ports, " "), "25/tcp 514/udp");
    assert_true(has_note(&running, "the socket unit d.socket would hand the service its sockets"));
    (void)socket;
}

static void a_profile_without_a_protocol_means_both(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = service_add(fixture, "[Service]\nExecStart=/usr/sbin/d\n");
    file_add(package, "/etc/ufw/applications.d/d", "[D]\ntitle=D\nports=80,443/tcp|53|6000:6001/udp\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_string_equal(strings_join(&fixture->arena, &running.config.ports, " "),
                        "80/tcp 443/tcp 53/tcp 53/udp 6000/udp 6001/udp");
}

static void a_service_of_firewalld_tells_ports(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = service_add(fixture, "[Service]\nExecStart=/usr/sbin/d\n");
    file_add(package, "/usr/lib/firewalld/services/d.xml",
             "<?xml version=\"1.0\"?>\n<service><port protocol=\"tcp\" port=\"99\"/><port port=\"7-8\" "
             "protocol=\"udp\"/></service>\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_string_equal(strings_join(&fixture->arena, &running.config.ports, " "), "99/tcp 7/udp 8/udp");
    assert_false(has_note(&running, "no port is known"));
}

static void a_range_of_ports_that_is_too_wide_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = service_add(fixture, "[Service]\nExecStart=/usr/sbin/d\n");
    file_add(package, "/etc/ufw/applications.d/d", "[d]\nports=80/tcp|49152:65535/udp\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_string_equal(strings_join(&fixture->arena, &running.config.ports, " "), "80/tcp");
    assert_true(has_note(&running, "the ports 49152:65535/udp are too many"));
}

static void configuration_that_a_command_names_and_nothing_brings_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct package *package =
        service_add(fixture, "[Service]\nExecStart=/usr/sbin/d -c /etc/d.conf --more=/etc/absent.conf /srv/x -s /run/x "
                             "--pid=/var/run/d.pid / /path/to/app.conf --listen <change-me>:1\n");
    file_add(package, "/etc/d.conf", "");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_true(
        has_note(&running, "d.service: its command names /etc/absent.conf, which is not there unless you bring"));
    assert_false(has_note(&running, "/etc/d.conf"));
    assert_true(has_note(&running, "its command names /path/to/app.conf, which"));
    assert_true(has_note(&running, "d.service: its command has '<change-me>:1', in place of which something has"));
    assert_false(has_note(&running, "no unit and no init script"));
    assert_false(has_note(&running, "/srv/x") || has_note(&running, "/run/x") || has_note(&running, "d.pid"));
}

static void each_path_of_a_list_that_a_command_names_is_looked_for(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = service_add(
        fixture, "[Service]\nExecStart=/usr/sbin/d --config /usr/share/d/d.conf:/etc/d.conf:/etc/absent.conf\n");
    file_add(package, "/etc/d.conf", "");
    file_add(package, "/usr/share/d/d.conf", "");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_true(has_note(&running, "its command names /etc/absent.conf, which is not there"));
    assert_false(has_note(&running, "names /usr/share/d/d.conf") || has_note(&running, "names /etc/d.conf"));
}

static void what_a_unit_wants_to_be_there_and_nothing_brings_is_told(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = service_add(
        fixture,
        "[Unit]\nConditionPathExists=/etc/taken-back\nAssertPathExists=/etc/asserted\nConditionVirtualization=\n"
        "ConditionPathExists=/etc/absent.key\n"
        "ConditionPathExists=!/etc/not-to-be\nConditionPathExists=|/etc/or-this\n"
        "ConditionFileNotEmpty=/etc/d.conf\nAssertPathExists=/var/lib/d/db\n"
        "ConditionPathExists=/dev/net/tun\nConditionPathExists=/var/run/x\n"
        "ConditionPathIsDirectory=/etc/d-%i\nConditionPathExists=/../..\n"
        "[Service]\nExecStart=/usr/sbin/d\n");
    file_add(package, "/etc/d.conf", "x");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_true(has_note(&running, "d.service is started only where /etc/absent.key is (ConditionPathExists=), which"));
    assert_true(has_note(&running, "d.service is started only where /var/lib/d/db is (AssertPathExists=), which is"));
    size_t count = 0;
    for (size_t i = 0; i < running.notes.count; i++)
        count += strstr(running.notes.items[i], "is started only where") != NULL;
    assert_int_equal(count, 3);
    assert_true(has_note(&running, "d.service is started only where /etc/asserted is (AssertPathExists=), which"));
}

static void a_game_that_nobody_tells_of_is_run_as_the_account_for_games(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = package_add(fixture, "d");
    file_add(package, "/usr/games/d-server", "program");
    file_add(package, "/usr/games/e-server", "program");
    file_add(package, UNITS "/e.service", "[Service]\nExecStart=/usr/games/e-server\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/games/d-server");
    assert_string_equal(running.config.user, "games:games");
    assert_true(has_note(&running, "the image starts it without a word more, as the user games"));
    running = found(fixture, "/usr/games/e-server");
    assert_null(running.config.user);
}

static void what_only_a_running_machine_knows_is_told(void **state)
{
    struct fixture *fixture = *state;
    service_add(fixture, "[Service]\nExecStart=/usr/sbin/d --host %H\nAmbientCapabilities=CAP_NET_ADMIN\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_string_equal(command(fixture, &running), "/usr/sbin/d");
    assert_true(has_note(&running, "its command has a specifier that only a running machine has"));
    assert_true(has_note(&running, "AmbientCapabilities=CAP_NET_ADMIN"));
    assert_true(has_note(&running, "no port is known"));
}

static void what_every_container_may_the_program_of_a_user_gets_by_its_file(void **state)
{
    struct fixture *fixture = *state;
    service_add(fixture, "[Service]\nExecStart=/usr/sbin/d\nUser=d\n"
                         "AmbientCapabilities=CAP_NET_BIND_SERVICE cap_net_admin x\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_int_equal(running.wishes.owners.count, 1);
    assert_string_equal(running.wishes.owners.items[0].path, "/usr/sbin/d");
    assert_int_equal(running.wishes.owners.items[0].capabilities, 1 << 10);
    assert_true(has_note(&running, "AmbientCapabilities=CAP_NET_BIND_SERVICE"));
}

static void a_user_who_opens_what_a_socket_unit_would_hand_over_may_bind_ports_below_1024(void **state)
{
    static const struct {
        const char *service, *socket;
        uint64_t set;
    } cases[] = {
        {"User=d\n", "ListenDatagram=69\n", 1 << 10},
        {"User=d\nGroup=e\nAmbientCapabilities=CAP_CHOWN\n", "ListenDatagram=69\n", 1 << 10 | 1},
        {"User=d\n", "ListenStream=1024\n", 0},
        {"User=root\n", "ListenStream=69\n", 0},
        {"", "ListenStream=69\n", 0},
        {"User=d\n", "ListenStream=/run/d.sock\n", 0},
    };
    struct fixture *fixture = *state;
    for (size_t i = 0; i < ARRAY_COUNT(cases); i++) {
        fixture->package_count = 0;
        struct package *package = service_add(
            fixture, arena_printf(&fixture->arena, "[Service]\nExecStart=/usr/sbin/d\n%s", cases[i].service));
        file_add(package, UNITS "/d.socket", arena_printf(&fixture->arena, "[Socket]\n%s", cases[i].socket));
        set_build(fixture, false);
        struct running running = found(fixture, "/usr/sbin/d");
        size_t count = running.wishes.owners.count;
        assert_int_equal(count ? running.wishes.owners.items[count - 1].capabilities : 0, cases[i].set);
    }
}

static void folders_of_sockets_are_made_as_systemd_makes_them(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = service_add(fixture, "[Service]\nExecStart=/usr/sbin/d\nUser=d\nGroup=e\n");
    file_add(
        package, UNITS "/d.socket",
        "[Socket]\nListenStream=/run/a/s\nListenDatagram=/var/run/b/c/s\nListenFIFO=/run/f\nListenStream=/run/a/t\n"
        "ListenStream=@x\nListenStream=/etc/x/s\nListenStream=53\n");
    file_add(package, UNITS "/other.socket", "[Socket]\nListenStream=/run/other/s\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_int_equal(running.wishes.made.count, 2);
    assert_string_equal(running.wishes.made.items[0].path, "/run/a");
    assert_string_equal(running.wishes.made.items[0].owner, "d");
    assert_string_equal(running.wishes.made.items[0].group, "e");
    assert_string_equal(running.wishes.made.items[1].path, "/run/b/c");
    assert_true(has_note(&running, "the socket unit d.socket would hand the service its sockets"));
    assert_false(has_note(&running, "a socket unit of d.service"));
}

static void a_socket_unit_without_ports_is_told_as_well(void **state)
{
    struct fixture *fixture = *state;
    struct package *package = service_add(fixture, "[Service]\nExecStart=/usr/sbin/d\n");
    file_add(package, UNITS "/d.socket", "[Socket]\nListenStream=/run/a/s\n");
    set_build(fixture, false);
    struct running running = found(fixture, "/usr/sbin/d");
    assert_true(
        has_note(&running, "a socket unit of d.service would hand it its sockets; in an image it opens them by"));
}

static char *repeated(struct fixture *fixture, const char *head, const char *line, size_t count)
{
    size_t head_len = strlen(head), len = strlen(line);
    char *text = arena_alloc(&fixture->arena, head_len + len * count + 1);
    memcpy(text, head, head_len);
    for (size_t i = 0; i < count; i++)
        memcpy(text + head_len + i * len, line, len);
    return text;
}

static void check_refused(struct fixture *fixture, const char *unit, const char *part)
{
    struct running running;
    service_add(fixture, unit);
    set_build(fixture, false);
    assert_false(find(fixture, "/usr/sbin/d", NULL, &running));
    CHECK_ERR(&fixture->err, ERR_MALFORMED, part);
}

static void more_directives_than_a_unit_may_have_are_refused(void **state)
{
    check_refused(*state, repeated(*state, "[Service]\n", "A=b\n", 10000), "more directives than are allowed");
}

static void a_line_without_end_is_refused(void **state)
{
    check_refused(*state, repeated(*state, "[Service]\nA=", "xxxxxxxxx\\\n", 20000), "a line that is longer");
}

static void a_unit_that_is_too_big_is_refused(void **state)
{
    check_refused(*state, repeated(*state, "[Service]\n", "# comment of no use\n", 20000), "has more than 256 KiB");
}

static void variables_that_multiply_are_refused(void **state)
{
    const char *head =
        arena_printf(&((struct fixture *)*state)->arena, "[Service]\nEnvironment=A=%s\nExecStart=/usr/sbin/d ",
                     repeated(*state, "", "0123456789abcdef", 1000));
    check_refused(*state, repeated(*state, head, "${A}${A}", 100), "more or longer words");
}

static void drop_ins_without_end_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct running running;
    for (size_t i = 0; i < 11; i++) {
        struct package *package = package_add(fixture, arena_printf(&fixture->arena, "p%02zu", i));
        if (!i)
            file_add(package, UNITS "/d.service", "[Service]\nExecStart=/usr/sbin/d\n");
        for (size_t j = 0; i && j < 7; j++)
            file_add(package, arena_printf(&fixture->arena, UNITS "/d.service.d/%02zu-%zu.conf", i, j), "[Service]\n");
    }
    set_build(fixture, false);
    assert_false(find(fixture, "/usr/sbin/d", NULL, &running));
    CHECK_ERR(&fixture->err, ERR_MALFORMED, "more than 64 drop-ins");
}

static void bytes_that_were_changed_in_the_cache_are_refused(void **state)
{
    struct fixture *fixture = *state;
    struct running running;
    struct package *package = service_add(fixture, "[Service]\nExecStart=/usr/sbin/d\n");
    package->entries[1].digest = digest_of("x", 1);
    set_build(fixture, false);
    assert_false(find(fixture, "/usr/sbin/d", NULL, &running));
    CHECK_ERR(&fixture->err, ERR_TRUST, "its bytes are not those that were unpacked");
}

static void many_programs_are_known_to_the_table_of_the_foreground(void **state)
{
    struct fixture *fixture = *state;
    struct foregrounds foregrounds;
    struct strings dirs = {0};
    size_t count = 0;
    list_add(&fixture->arena, &dirs, SOURCE_DIR "/manifests/foreground");
    CHECK_OK(foregrounds_load(&fixture->arena, &dirs, &foregrounds, &fixture->err), &fixture->err);
    for (size_t i = 0; i < foregrounds.count; i++)
        count += foregrounds.items[i].programs.count;
    assert_true(count >= 200);
    const struct foreground *ntpd = foreground_find(&foregrounds, "/usr/sbin/ntpd", "ntpsec");
    assert_string_equal(ntpd->add.items[0], "-n");
    assert_string_equal(foreground_find(&foregrounds, "/usr/sbin/ntpd", "openntpd")->add.items[0], "-d");
    assert_string_equal(foreground_find(&foregrounds, "/usr/sbin/php-fpm8.2", NULL)->add.items[0], "--nodaemonize");
    assert_null(foreground_find(&foregrounds, "/usr/sbin/unknown", NULL));
}

/* The words of a command as the table has them. */
static const char *changed(struct fixture *fixture, const char *words)
{
    struct foregrounds foregrounds;
    struct strings dirs = {0}, split = {0};
    struct text rest = text_of(words), word;
    list_add(&fixture->arena, &dirs, SOURCE_DIR "/manifests/foreground");
    CHECK_OK(foregrounds_load(&fixture->arena, &dirs, &foregrounds, &fixture->err), &fixture->err);
    while (text_next_word(&rest, &word))
        list_add(&fixture->arena, &split, text_dup(&fixture->arena, word));
    const struct foreground *row = foreground_find(&foregrounds, split.items[0], NULL);
    assert_non_null(row);
    struct strings result = foreground_words(&fixture->arena, row, &split);
    return strings_join(&fixture->arena, &result, " ");
}

static void words_are_added_removed_and_changed_as_the_table_says(void **state)
{
    struct fixture *fixture = *state;
    assert_string_equal(changed(fixture, "/usr/sbin/postfix start"), "/usr/sbin/postfix start-fg");
    assert_string_equal(changed(fixture, "/usr/sbin/postfix"), "/usr/sbin/postfix start-fg");
    assert_string_equal(changed(fixture, "/usr/sbin/exim4 -bd -q30m -x"), "/usr/sbin/exim4 -bdf -q30m -x");
    assert_string_equal(changed(fixture, "/usr/bin/redis-server /etc/r --daemonize yes"),
                        "/usr/bin/redis-server /etc/r --daemonize no");
    assert_string_equal(changed(fixture, "/usr/sbin/slapd -d 5"), "/usr/sbin/slapd -d 5");
    assert_string_equal(changed(fixture, "/usr/sbin/openvpn --daemon --cd x"), "/usr/sbin/openvpn --cd x");
    assert_string_equal(changed(fixture, "/usr/sbin/openvpn --daemon name --cd x"), "/usr/sbin/openvpn --cd x");
}

static void the_example_of_the_page_is_read(void **state)
{
    struct folder *folder = *state;
    struct foregrounds foregrounds;
    struct strings dirs = {0}, texts = examples(folder, "manifests/README.md", "foreground");
    struct err err = {0};
    assert_int_equal(texts.count, 1);
    put(folder, "mine", texts.items[0]);
    list_add(&folder->arena, &dirs, folder->dir);
    CHECK_OK(foregrounds_load(&folder->arena, &dirs, &foregrounds, &err), &err);
    assert_int_equal(foregrounds.count, 3);
    put(folder, "mine", "programs:\n  - {program: /usr/sbin/x, add: [-d]}\n");
    assert_false(foregrounds_load(&folder->arena, &dirs, &foregrounds, &err));
    CHECK_ERR(&err, ERR_USAGE, "mine.yaml:2:15: '/usr/sbin/x' is a path");
    err = (struct err){0};
    put(folder, "mine", "programs:\n  - {program: x, ad: [-d]}\n");
    assert_false(foregrounds_load(&folder->arena, &dirs, &foregrounds, &err));
    CHECK_ERR(&err, ERR_USAGE, "did you mean 'add'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(variables_and_specifiers_of_a_command_are_put_in),
        TEST(a_drop_in_adds_and_an_empty_value_takes_back),
        TEST(directories_of_a_unit_are_its_users),
        TEST(a_user_that_systemd_makes_is_made),
        TEST(a_command_with_full_rights_begins_as_root),
        TEST(commands_before_a_service_make_directories_and_the_rest_is_told),
        TEST(a_program_that_forks_gets_its_switch),
        TEST(a_program_that_forks_and_is_not_known_is_told),
        TEST(a_program_that_stays_is_left_alone),
        TEST(variables_that_are_options_become_them),
        TEST(the_unit_is_the_one_that_starts_the_program),
        TEST(a_service_that_is_enabled_is_no_job_for_the_timer_beside_it),
        TEST(of_several_units_the_one_named_like_the_program_counts),
        TEST(a_template_is_the_instance_that_a_link_names),
        TEST(a_link_to_the_program_is_the_program),
        TEST(what_a_wrapper_becomes_is_the_command),
        TEST(a_script_is_started_by_its_interpreter),
        TEST(an_init_script_tells_where_no_unit_does),
        TEST(an_init_script_that_leaves_without_configuration_is_read_as_if_there_were_some),
        TEST(a_program_of_which_nothing_says_how_it_is_run_is_told),
        TEST(what_a_program_needs_besides_is_told_also_where_it_does_not_fork),
        TEST(what_an_init_script_reads_from_a_file_that_is_not_there_is_not_made_up),
        TEST(ports_come_from_sockets_then_profiles_then_firewalld),
        TEST(a_profile_without_a_protocol_means_both),
        TEST(a_service_of_firewalld_tells_ports),
        TEST(a_range_of_ports_that_is_too_wide_is_told),
        TEST(configuration_that_a_command_names_and_nothing_brings_is_told),
        TEST(each_path_of_a_list_that_a_command_names_is_looked_for),
        TEST(what_a_unit_wants_to_be_there_and_nothing_brings_is_told),
        TEST(a_game_that_nobody_tells_of_is_run_as_the_account_for_games),
        TEST(what_only_a_running_machine_knows_is_told),
        TEST(what_every_container_may_the_program_of_a_user_gets_by_its_file),
        TEST(folders_of_sockets_are_made_as_systemd_makes_them),
        TEST(a_socket_unit_without_ports_is_told_as_well),
        TEST(a_user_who_opens_what_a_socket_unit_would_hand_over_may_bind_ports_below_1024),
        TEST(more_directives_than_a_unit_may_have_are_refused),
        TEST(a_line_without_end_is_refused),
        TEST(a_unit_that_is_too_big_is_refused),
        TEST(variables_that_multiply_are_refused),
        TEST(drop_ins_without_end_are_refused),
        TEST(bytes_that_were_changed_in_the_cache_are_refused),
        TEST(many_programs_are_known_to_the_table_of_the_foreground),
        TEST(words_are_added_removed_and_changed_as_the_table_says),
        IN_FOLDER(the_example_of_the_page_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
