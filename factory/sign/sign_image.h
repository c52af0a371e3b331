/* SPDX-License-Identifier: Apache-2.0 */
/* sign_image.h - signing what is pushed: the index and each child, in both forms that there are
 *
 * Each key makes one bundle whose statement names the index and all children, which hangs on each of them (envelope.h); and for
 * each tag an older signature of the index and each child that says HOST/REPOSITORY:TAG, so that podman's default rule takes the
 * image under that tag alone. What is there by the same key is not made again; what others signed stays.
 * To attach another statement, signed by the same keys: sign_attach() out of a giver of your own (registry/attach.h).
 * Threads: as registry/attach.h.
 * Fails with: as signer.h.
 */
#ifndef IMGFACTORY_SIGN_SIGN_IMAGE_H
#define IMGFACTORY_SIGN_SIGN_IMAGE_H

#include "registry/attach.h"
#include "sign/signer.h"

/* A statement (in-toto v1, as JSON) that is to hang on some manifests of an image. */
struct sign_statement {
    const char *predicate_type; /* as the statement says it */
    struct text payload;        /* its subjects are those below, by digest */
    const struct layout_blob *subjects;
    size_t subject_count;
};

/* Adds a statement to what is attached: a bundle by each signer for each subject. Nothing is signed now; all strings, and
 * the signers, live until the push is over. */
void sign_attach(const struct signers *signers, struct arena *arena, const struct sign_statement *statement,
                 struct attach_list *list);
/* Lists the manifests of an image that signatures are about: the index or only manifest, and all children that are there. */
void sign_subjects(struct arena *arena, const struct layout_image *image, struct layout_blob **ret_subjects,
                   size_t *ret_count);
/* The giver's function that signs the image; its context is a const struct signers. */
bool sign_image(void *signers, struct arena *arena, const struct attach_target *target, struct attach_list *list,
                struct err *err) MUST_CHECK;

#endif
