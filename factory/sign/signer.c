/* SPDX-License-Identifier: Apache-2.0 */
#include "sign/signer.h"

#include "base/auto.h"
#include "base/workers.h"
#include "io/broker.h"
#include "io/child.h"
#include "io/file.h"
#include "io/http_wire.h"
#include "plan/yaml.h"
#include "registry/credentials_secret.h"
#include "sign/base64.h"
#include "sign/envelope.h"
#include "sign/signer_wire.h"

#include <fcntl.h>

#define ANSWER_MAX_BYTES ((size_t)16 * 1024)

/* --- files --- */

/* A signer's file. */
struct signer_form {
    struct strings command, environment;
    const char *public_file;
};

static const struct yaml_field fields[] = {
    YAML_FIELD(YAML_STRINGS, signer_form, "command", command, true, ALTERS_NOTHING),
    YAML_FIELD(YAML_STRING, signer_form, "public", public_file, true, ALTERS_NOTHING),
    YAML_FIELD(YAML_STRINGS, signer_form, "environment", environment, false, ALTERS_NOTHING),
};

/* A path of the file's, as it is from here. */
static const char *beside(struct arena *arena, const char *file, const char *path)
{
    const char *slash = strrchr(file, '/');
    return path[0] == '/' || !slash ? path : arena_printf(arena, "%.*s/%s", (int)(slash - file), file, path);
}

static bool read_command(struct signer *signer, struct arena *arena, struct err *err)
{
    AUTO(buf_done) struct buf bytes = {0};
    struct yaml_file *file;
    struct signer_form form = {0};
    if (!yaml_load(arena, signer->name, &file, err) ||
        !yaml_read(arena, file->root, fields, ARRAY_COUNT(fields), &form, err))
        return false;
    if (!form.command.count) {
        err_set(err, ERR_USAGE, "%s: 'command' names no program", signer->name);
        return false;
    }
    const char *path = beside(arena, signer->name, form.public_file);
    if (!file_read_at(AT_FDCWD, path, SIGN_KEY_FILE_MAX_BYTES, &bytes, err) ||
        !sign_key_read_public(path, buf_text(&bytes), &signer->key, err))
        return false;
    signer->command = form.command;
    signer->environment = form.environment;
    return true;
}

bool signers_add(struct signers *signers, struct arena *arena, const char *path,
                 const struct sign_passphrase *passphrase, struct err *err)
{
    AUTO(secret_buf_done) struct buf bytes = {0};
    struct signer *signer = &signers->items[signers->count];
    if (signers->count == SIGNERS_MAX) {
        err_set(err, ERR_USAGE, "%s: more than %zu keys to sign with", path, SIGNERS_MAX);
        return false;
    }
    *signer = (struct signer){.name = arena_strdup(arena, path)};
    if (!file_read_at(AT_FDCWD, path, SIGN_KEY_FILE_MAX_BYTES, &bytes, err)) {
        err->kind = ERR_USAGE;
        return false;
    }
    bool is_pem = memmem(bytes.bytes ? bytes.bytes : "", bytes.len, "-----BEGIN ", 11) != NULL;
    if (!(is_pem ? sign_key_read(signer->name, buf_text(&bytes), passphrase, &signer->key, err)
                 : read_command(signer, arena, err)))
        return false;
    signers->count++;
    return true;
}

bool signer_hand_over(struct signer *signer, struct broker *broker, unsigned number, struct err *err)
{
    AUTO(arena_done) struct arena scratch = {0};
    AUTO(wire_done) struct wire_writer writer;
    struct sign_key *public;
    struct text pem;
    wire_begin(&writer, BROKER_FRAME_MAX_BYTES);
    if (!sign_key_print_public(signer->key, &scratch, &pem, err) ||
        !sign_key_read_public(signer->name, pem, &public, err))
        return false;
    if (!signer_wire_put(&writer, signer, err)) {
        sign_key_close(public);
        return false;
    }
    broker_say(broker, BROKER_SIGNER, buf_text(&writer.bytes));
    sign_key_close(signer->key);
    signer->key = public;
    signer->broker = broker;
    signer->number = number;
    return true;
}

void signers_close(struct signers *signers)
{
    for (size_t i = 0; i < signers->count; i++)
        sign_key_close(signers->items[i].key);
    *signers = (struct signers){0};
}

/* --- signing --- */

bool signer_is_settled(const struct signer *signer)
{
    return sign_key_kind(signer->key) == SIGN_KEY_ED25519;
}

/* One run of a signer's command. */
struct calling {
    const struct signer *signer;
    struct text bytes;
    struct buf answer;
};

static bool call(void *argument, struct err *err)
{
    struct calling *calling = argument;
    const struct signer *signer = calling->signer;
    AUTO(arena_done) struct arena scratch = {0};
    const char **argv = arena_new_array(&scratch, const char *, signer->command.count + 1);
    memcpy(argv, signer->command.items, signer->command.count * sizeof *argv);
    struct child_input input = {calling->bytes, signer->environment.items, signer->environment.count};
    int status = 0;
    if (!child_run_with_input(argv, &input, ANSWER_MAX_BYTES, SIGNER_COMMAND_MS, &calling->answer, &status, err))
        return false;
    if (status != 0)
        err_set(err, ERR_LOCAL, "%s failed (exit status %d)", argv[0], status);
    return status == 0;
}

/* The signature out of an answer: as it is, or in base64. */
static bool take_answer(const struct signer *signer, struct arena *arena, struct text bytes, struct text answer,
                        struct text *ret_signature)
{
    struct text decoded, trimmed = text_trim(answer);
    if (sign_key_verify(signer->key, bytes, answer)) {
        *ret_signature = (struct text){arena_strndup(arena, answer.ptr, answer.len), answer.len};
        return true;
    }
    if (!base64_decode(arena, trimmed, &decoded) || !sign_key_verify(signer->key, bytes, decoded))
        return false;
    *ret_signature = decoded;
    return true;
}

static bool sign_by_command(const struct signer *signer, struct arena *arena, struct text bytes,
                            struct text *ret_signature, struct err *err)
{
    struct calling calling = {.signer = signer, .bytes = bytes};
    bool is_run = workers_call(signer->keeper, call, &calling, err);
    bool is_signed = is_run && take_answer(signer, arena, bytes, buf_text(&calling.answer), ret_signature);
    if (is_run && !is_signed)
        err_set(err, ERR_LOCAL, "what %s printed is no signature that its public key verifies",
                signer->command.items[0]);
    if (!is_signed)
        err_wrap(err, "%s", signer->name);
    buf_done(&calling.answer);
    return is_signed;
}

static bool sign_by_broker(const struct signer *signer, struct arena *arena, struct text bytes,
                           struct text *ret_signature, struct err *err)
{
    AUTO(wire_done) struct wire_writer writer;
    AUTO(auto_close_fd) int fd = -1;
    struct frame answer = {.fd = -1};
    wire_begin(&writer, BROKER_FRAME_MAX_BYTES);
    wire_put(&writer, signer->number);
    if (!signer_wire_put_bytes(&writer, bytes, &fd, err))
        return false;
    const struct broker_call call = {.kind = BROKER_SIGN, .bytes = buf_text(&writer.bytes), .fd = fd};
    if (!broker_call(signer->broker, &call, &answer, err))
        return false;
    struct wire_reader reader = {buf_text(&answer.bytes), false};
    wire_get_err(&reader, err);
    struct text signature = wire_get_text(&reader);
    *ret_signature = (struct text){arena_strndup(arena, signature.ptr, signature.len), signature.len};
    if (!wire_is_good(&reader) && err->kind == ERR_NONE)
        err_set(err, ERR_INTERNAL, "the process that has the keys does not sign");
    frame_done(&answer);
    return err->kind == ERR_NONE;
}

bool signer_sign(const struct signer *signer, struct arena *arena, struct text bytes, struct text *ret_signature,
                 struct err *err)
{
    if (signer->broker)
        return sign_by_broker(signer, arena, bytes, ret_signature, err);
    return signer->command.count ? sign_by_command(signer, arena, bytes, ret_signature, err)
                                 : sign_key_sign(signer->key, arena, bytes, ret_signature, err);
}

bool signer_bundle(const struct signer *signer, struct arena *arena, const char *payload_type, struct text payload,
                   struct text *ret_bundle, struct err *err)
{
    struct envelope envelope = {.payload_type = payload_type, .payload = payload};
    struct digest id = sign_key_id(signer->key);
    if (!signer_sign(signer, arena, envelope_signed_bytes(arena, payload_type, payload), &envelope.signature, err))
        return false;
    *ret_bundle = envelope_bundle(arena, &envelope, &id);
    return true;
}
