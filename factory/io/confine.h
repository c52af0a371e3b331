/* SPDX-License-Identifier: Apache-2.0 */
/* confine.h - what threads that read hostile bytes may still ask of the kernel
 *
 * Landlock (linux/landlock.h, ABI 2 of kernel 5.19 and later ones; rights that a kernel does not know are left out) lets
 * a thread open only what it was told of, and seccomp(2) makes it no socket and lets it into no other process. Both hold
 * for the calling thread, for the threads that it starts from then on, and for their child processes, for good. Who has
 * to open more for them (credentials, the network's thread) was started before, or by one that was: the keeper
 * (base/workers.h with one thread). Directories may be listed anywhere: only names are told by that.
 * It is a bound for mistakes and for libraries that can be led astray, not for an attacker's own code: threads share
 * memory and descriptors.
 * Threads: no state.
 * Fails with: nothing; what the kernel has not got is told.
 */
#ifndef IMGFACTORY_IO_CONFINE_H
#define IMGFACTORY_IO_CONFINE_H

#include "base/text.h"

struct channel;

/* Files, and directories with all below them; what is not there is passed over, and a symbolic link stands for what it
 * leads to. Places that a shortage of descriptors or memory kept from being found, here or before, must not be refused for
 * that: nothing is confined by paths then, which is told. */
struct confine_places {
    struct strings readable, writable;
    struct strings local;          /* where repositories of this machine are: what the broker reads of it (file:) */
    struct strings changeable;     /* below which all may be changed, but no file be read */
    struct strings removable;      /* directories in which empty ones may be removed */
    struct strings programs;       /* that may be started, by the names that PATH is looked through for */
    int shortage;                  /* errno of what kept a place from being found; 0 for nothing */
    const struct channel *channel; /* over which alone messages may be exchanged; or NULL */
};

/* Forbids core dumps, and other processes of the same user to look into this one: both could show a credential. For the
 * whole process. */
void confine_secrets(void);
/* Returns whether this kernel has something to confine threads with. */
bool confine_is_possible(void);
/* Confines the calling thread, as a reader. Returns what could not be had ("Landlock (Function not implemented)"), or NULL
 * when all could. */
const char *confine_readers(struct arena *arena, const struct confine_places *places);
/* Confines the calling thread, as the network's: it writes below `writable` and starts no program; it opens what
 * libraries need to reach a host. */
void confine_network(const struct confine_places *places);

#endif
