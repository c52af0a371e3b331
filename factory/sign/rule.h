/* SPDX-License-Identifier: Apache-2.0 */
/* rule.h - what is asked of an image's signatures: by a key, or by podman's policy.json
 *
 * Of a key (--key): each manifest has a signature by it, of either form. The older form names the image: where there is one by the
 * key, one must name the tag that was asked for (a tag that was set on another signed image is refused); a bundle names no tag.
 * Of a policy (containers/image, docs/containers-policy.json.5.md): the older form alone, as podman and skopeo look at it, by one of the keys,
 * under a name as `signedIdentity` says. All requirements of the most specific scope must hold.
 * Threads: no state.
 * Owns: struct rules owns its keys until rules_close(); the rest lives in the arena given.
 * Fails with: ERR_USAGE (the policy or a key cannot be read).
 */
#ifndef IMGFACTORY_SIGN_RULE_H
#define IMGFACTORY_SIGN_RULE_H

#include "registry/reference.h"
#include "sign/found.h"

#define RULES_MAX_COUNT ((size_t)64)
#define RULE_POLICY_MAX_BYTES ((size_t)1024 * 1024)

enum rule_kind {
    RULE_KEY,      /* --key */
    RULE_SIGSTORE, /* sigstoreSigned */
    RULE_ACCEPT,   /* insecureAcceptAnything */
    RULE_REJECT,   /* reject */
    RULE_UNKNOWN,  /* signedBy, and what else we cannot check: it does not hold */
};

/* How the name in a signature must be that of the image. */
enum rule_identity {
    RULE_REPO_DIGEST_OR_EXACT, /* matchRepoDigestOrExact: the tag, too, where one was asked for */
    RULE_EXACT,
    RULE_REPOSITORY,
    RULE_EXACT_REFERENCE,  /* `identity` */
    RULE_EXACT_REPOSITORY, /* `identity` */
    RULE_REMAP,            /* prefix `identity` becomes `signed_prefix` */
};

struct rule {
    enum rule_kind kind;
    const char *what;            /* for messages: the type, or the key's file */
    size_t keys_from, key_count; /* of the rules' keys: one of these */
    enum rule_identity identity_kind;
    const char *identity, *signed_prefix;
};

struct rules {
    LIST(struct rule) items; /* all must hold */
    LIST(struct sign_key *) keys;
    const char *scope; /* of a policy: where in the file they stand */
    const char *path;  /* of a policy: the file */
};

/* Adds --key FILE; several keys are one rule: any of them may have signed. */
bool rules_add_key(struct rules *rules, struct arena *arena, const char *path, struct err *err) MUST_CHECK;
/* Adds a public key of a file, or of bytes, to the keys alone. */
bool rules_add_public_file(struct rules *rules, struct arena *arena, const char *path, struct err *err) MUST_CHECK;
bool rules_add_public(struct rules *rules, struct arena *arena, const char *name, struct text pem,
                      struct err *err) MUST_CHECK;
/* Returns the keys, for found_read(). */
struct found_keys rules_keys(const struct rules *rules);
/* Returns whether a rule holds for one manifest; *ret_why tells why not. */
bool rule_holds(const struct rule *rule, struct arena *arena, const struct reference *reference,
                const struct found *found, const char **ret_why);
/* Returns whether anything is asked at all: without rules, or where all accept anything, nobody need look. */
bool rules_ask(const struct rules *rules);
/* Reads the signatures of one manifest in its registry and holds them against all rules; *ret_why, in the arena, tells why one does not hold, or
 * is NULL. */
bool rules_judge(const struct rules *rules, struct registry *registry, struct arena *arena,
                 const struct reference *reference, const struct digest *subject, const char **ret_why,
                 struct err *err) MUST_CHECK;
/* Frees the keys. For AUTO(). */
void rules_close(struct rules *rules);

#endif
