/* SPDX-License-Identifier: Apache-2.0 */
/* contract.h - how an image is run: what it asks of the host and nothing else, the key `run:` of a manifest
 *
 * Nothing of it is in the image, whose format has no place for it: it stands in the bill, and units and command lines
 * are made from it (deploy/deploy.h). manifests/README.md describes every key; the tables in contract.c are the definition.
 * Threads: no shared state; a contract is const once read.
 * Owns: nothing; all lives in the arena given.
 * Fails with: ERR_USAGE ("FILE:LINE:COLUMN: …").
 */
#ifndef IMGFACTORY_PLAN_CONTRACT_H
#define IMGFACTORY_PLAN_CONTRACT_H

#include "plan/wishes.h"

enum contract_network { CONTRACT_PRIVATE, CONTRACT_HOST, CONTRACT_NO_NETWORK };
enum contract_kind { CONTRACT_DIRECTORY, CONTRACT_FILE };

/* A path of the host that is mounted. */
struct contract_mount {
    const char *host, *path; /* there, and in the container */
    enum contract_kind kind;
    uint32_t mode, uid, gid; /* what it is made with on the host, if it is not there */
    bool is_read_only;
    bool is_optional;    /* mounted only by who wants it instead of what the image has */
    bool is_shared;      /* others use it as well: it is neither made nor relabelled for SELinux */
    const char *purpose; /* what is in it; or NULL */
};

/* A program of the image that asks the service whether it serves. */
struct contract_health {
    struct strings command;                     /* empty: there is none */
    const char *interval, *timeout, *start_for; /* durations such as "30s" */
    uint64_t retries;
};

struct contract {
    enum contract_network network;
    bool has_capabilities;       /* they are known; else the engine's own choice is left as it is */
    struct strings capabilities; /* the only ones: "NET_RAW" */
    bool may_gain;       /* programs of it become more than they were started as: setuid, capabilities of files */
    bool is_read_only;   /* of what is no volume and no tmpfs nothing is written to */
    bool is_interactive; /* a program for people, at a terminal */
    struct strings tmpfs, writes;
    struct strings publish; /* "80:8080/tcp"; without any all ports of the configuration */
    struct strings devices, dns, secrets, needs;
    struct yaml_pairs sysctls, limits;
    struct contract_health health;
    LIST(struct contract_mount) host;
};

/* Returns the tables of the keys under `run`. */
struct yaml_tables contract_tables(void);
/* Reads and checks the mapping under `run`; owners of host paths are users and groups of the wishes, or numbers. */
bool contract_read(struct arena *arena, const struct yaml_node *node, const struct wishes *wishes,
                   struct contract *ret_contract, struct err *err) MUST_CHECK;
/* Copies all of it into the arena. */
const struct contract *contract_copy(struct arena *arena, const struct contract *contract);
/* Returns whether the kernel has a capability of this name ("NET_RAW", without CAP_). */
bool contract_is_capability(const char *name);
/* Lists the names of all of them, in the order of the alphabet. */
struct strings contract_capabilities(struct arena *arena);
/* Returns whether a limit is one of the process (ulimit) and not of the container (memory, pids, shm). */
bool contract_is_ulimit(const char *name);
/* Tells why a value is no limit of the process: "N", "SOFT:HARD", -1 or infinity for none; or NULL. */
const char *contract_why_not_ulimit(const char *value);
/* Tells why a path cannot be mounted (as `HOST:PATH` on a command line and in a unit), or NULL. */
const char *contract_why_not_mount(const char *path);

#endif
