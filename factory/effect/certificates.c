/* SPDX-License-Identifier: Apache-2.0 */
#include "effect/certificates.h"

#include "base/auto.h"

#include <openssl/pem.h>
#include <openssl/x509.h>

#define CERTIFICATES_MAX 2000
#define CERTIFICATE_MAX_BYTES ((size_t)1 << 20)

static const char packaged_dir[] = "/usr/share/ca-certificates/";
static const char local_dir[] = "/usr/local/share/ca-certificates/";
static const char etc_dir[] = "/etc/ssl/certs/";
static const char list_path[] = "/etc/ca-certificates.conf";
static const char bundle_path[] = "/etc/ssl/certs/ca-certificates.crt";
static const char giver[] = "update-ca-certificates", why[] = "as update-ca-certificates makes it";

/* One .crt file. */
struct certificate {
    const char *path;
    struct text bytes;
};

/* One .pem link of /etc/ssl/certs and what openssl rehash knows of it. */
struct pem {
    const char *name;
    const struct certificate *certificate;
    bool is_single; /* has exactly one certificate */
    uint32_t hash;
    struct digest digest; /* of the certificate's DER form */
};

struct maker {
    struct arena *arena;
    const struct wishes *wishes; /* of all others */
    struct wishes made;
    LIST(struct certificate) certificates;
    struct map pems; /* name → struct pem *: a later certificate of the same name takes it over */
};

static void info_stack_free(STACK_OF(X509_INFO) * *stack)
{
    sk_X509_INFO_pop_free(*stack, X509_INFO_free);
}

static void bio_free(BIO **bio)
{
    BIO_free(*bio);
}

static bool is_certificate_of(const char *dir, const char *path)
{
    return strncmp(path, dir, strlen(dir)) == 0 && text_has_suffix(text_of(path), ".crt");
}

static int compare_certificates(const void *a, const void *b)
{
    return strcmp(((const struct certificate *)a)->path, ((const struct certificate *)b)->path);
}

static bool add_certificate(struct maker *maker, const char *path, struct text bytes, struct err *err)
{
    if (bytes.len > CERTIFICATE_MAX_BYTES) {
        err_set(err, ERR_MALFORMED, "%s: %zu bytes, more than a certificate has", path, bytes.len);
        return false;
    }
    if (bytes.len && memchr(bytes.ptr, '\0', bytes.len)) {
        err_set(err, ERR_MALFORMED, "%s: a NUL byte, which no PEM file has", path);
        return false;
    }
    if (maker->certificates.count == CERTIFICATES_MAX) {
        err_set(err, ERR_MALFORMED, "more than %d CA certificates; %s is one too many", CERTIFICATES_MAX, path);
        return false;
    }
    list_add(maker->arena, &maker->certificates, ((struct certificate){path, bytes}));
    return true;
}

static void sort_from(struct maker *maker, size_t first)
{
    size_t count = maker->certificates.count - first;
    if (count)
        qsort(maker->certificates.items + first, count, sizeof(maker->certificates.items[0]), compare_certificates);
}

/* The packages' certificates, then the manifest's own: the tool's order. */
static bool collect(struct maker *maker, const struct fileset *set, struct err *err)
{
    for (size_t i = 0; i < set->by_path.slots.count; i++) {
        const struct sourced *file = set->by_path.slots.items[i].value;
        const struct entry *content = sourced_content(file);
        if (!content || !is_certificate_of(packaged_dir, file->entry->path))
            continue;
        struct text bytes = {content->data, (size_t)content->size_bytes};
        struct digest digest = digest_of(bytes.ptr, bytes.len);
        if (!digest_eq(&digest, &content->digest)) {
            err_set(err, ERR_TRUST, "%s (package %s): the unpacked bytes differ from their digest", file->entry->path,
                    file->package->name);
            return false;
        }
        if (!add_certificate(maker, file->entry->path, bytes, err))
            return false;
    }
    sort_from(maker, 0);
    size_t packaged = maker->certificates.count;
    for (size_t i = 0; i < maker->wishes->made.count; i++) {
        const struct wish_made *made = &maker->wishes->made.items[i];
        if (made->kind == MADE_FILE && is_certificate_of(local_dir, made->path) &&
            !add_certificate(maker, made->path, text_of(made->content), err))
            return false;
    }
    sort_from(maker, packaged);
    return true;
}

static void add_made(struct maker *maker, const struct wish_made *made)
{
    if (!wishes_made(maker->wishes, made->path) && !wishes_made(&maker->made, made->path))
        list_add(maker->arena, &maker->made.made, *made);
}

static void add_link(struct maker *maker, const char *name, const char *target)
{
    struct wish_made made = {.kind = MADE_SYMLINK,
                             .path = arena_printf(maker->arena, "%s%s", etc_dir, name),
                             .mode = 0777,
                             .owner = "root",
                             .group = "root",
                             .target = target,
                             .giver = giver,
                             .why = why};
    add_made(maker, &made);
}

/* "/usr/share/ca-certificates/mozilla/A (B).crt" → "A_=B=.pem" */
static const char *pem_name(struct arena *arena, const char *path)
{
    const char *base = strrchr(path, '/') + 1;
    char *name = arena_printf(arena, "%.*s.pem", (int)(strlen(base) - strlen(".crt")), base);
    for (char *c = name; *c; c++) {
        if (*c == ' ' || *c == ',')
            *c = '_';
        else if (*c == '(' || *c == ')')
            *c = '=';
    }
    return name;
}

/* Reads the file as openssl rehash does: only one with exactly one certificate gets a hash. */
static void read_pem(struct pem *pem)
{
    const struct text bytes = pem->certificate->bytes;
    BIO *bio AUTO(bio_free) = BIO_new_mem_buf(bytes.ptr, (int)bytes.len);
    STACK_OF(X509_INFO) * stack AUTO(info_stack_free) = bio ? PEM_X509_INFO_read_bio(bio, NULL, NULL, NULL) : NULL;
    if (!stack || sk_X509_INFO_num(stack) != 1)
        return;
    X509 *x509 = sk_X509_INFO_value(stack, 0)->x509;
    unsigned char *der = NULL;
    int len = x509 ? i2d_X509(x509, &der) : -1;
    int is_good = 0;
    unsigned long hash = len > 0 ? X509_NAME_hash_ex(X509_get_subject_name(x509), NULL, NULL, &is_good) : 0;
    if (len > 0 && is_good) {
        pem->is_single = true;
        pem->hash = (uint32_t)hash;
        pem->digest = digest_of(der, (size_t)len);
    }
    OPENSSL_free(der);
}

static int compare_pems(const void *a, const void *b)
{
    return strcmp((*(struct pem *const *)a)->name, (*(struct pem *const *)b)->name);
}

/* Counts the earlier ones of the same hash; false when one of them is the same certificate. */
static bool find_number(struct pem *const *pems, size_t at, unsigned *ret_number)
{
    *ret_number = 0;
    for (size_t i = 0; i < at; i++) {
        if (!pems[i]->is_single || pems[i]->hash != pems[at]->hash)
            continue;
        if (digest_eq(&pems[i]->digest, &pems[at]->digest)) {
            pems[at]->is_single = false;
            return false;
        }
        ++*ret_number;
    }
    return true;
}

/* The links in the order of their names. A few hundred certificates: the square of it is still nothing. */
static void add_links(struct maker *maker)
{
    size_t count = maker->pems.slots.count;
    struct pem **pems = arena_new_array(maker->arena, struct pem *, count);
    for (size_t i = 0; i < count; i++)
        pems[i] = maker->pems.slots.items[i].value;
    if (count)
        qsort(pems, count, sizeof(pems[0]), compare_pems);
    for (size_t i = 0; i < count; i++) {
        unsigned number;
        add_link(maker, pems[i]->name, pems[i]->certificate->path);
        read_pem(pems[i]);
        if (pems[i]->is_single && find_number(pems, i, &number))
            add_link(maker, arena_printf(maker->arena, "%08x.%u", pems[i]->hash, number), pems[i]->name);
    }
}

bool certificates_make(struct arena *arena, const struct fileset *set, const struct wishes *wishes,
                       struct wishes *ret_wishes, struct err *err)
{
    struct maker maker = {.arena = arena, .wishes = wishes, .pems = {.arena = arena}};
    *ret_wishes = (struct wishes){0};
    if (!collect(&maker, set, err))
        return false;
    if (!maker.certificates.count)
        return true;
    struct buf bundle AUTO(buf_done);
    buf_init(&bundle, CERTIFICATES_MAX * CERTIFICATE_MAX_BYTES);
    for (size_t i = 0; i < maker.certificates.count; i++) {
        const struct certificate *certificate = &maker.certificates.items[i];
        struct pem *pem = arena_new(arena, struct pem);
        struct text bytes = certificate->bytes;
        *pem = (struct pem){.name = pem_name(arena, certificate->path), .certificate = certificate};
        map_set(&maker.pems, text_of(pem->name), pem);
        bool is_ended = !bytes.len || bytes.ptr[bytes.len - 1] == '\n';
        if (!buf_add(&bundle, bytes.ptr, bytes.len) || (!is_ended && !buf_add(&bundle, "\n", 1))) {
            err_set(err, ERR_MALFORMED, "the CA bundle gets bigger than %zu bytes",
                    CERTIFICATES_MAX * CERTIFICATE_MAX_BYTES);
            return false;
        }
    }
    add_made(&maker, &(struct wish_made){.kind = MADE_FILE,
                                         .path = bundle_path,
                                         .mode = 0644,
                                         .owner = "root",
                                         .group = "root",
                                         .content = arena_strndup(arena, bundle.bytes, bundle.len),
                                         .giver = giver,
                                         .why = why});
    add_links(&maker);
    *ret_wishes = maker.made;
    return true;
}

static struct wish_made *find_list(struct wishes *wishes)
{
    for (size_t i = 0; i < wishes->made.count; i++) {
        struct wish_made *made = &wishes->made.items[i];
        if (made->kind == MADE_FILE && made->is_automatic && made->content && strcmp(made->path, list_path) == 0)
            return made;
    }
    return NULL;
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

void certificates_list(struct arena *arena, const struct fileset *set, struct wishes *wishes)
{
    struct wish_made *made = find_list(wishes);
    struct strings names = {0};
    for (size_t i = 0; made && i < set->by_path.slots.count; i++) {
        const struct sourced *file = set->by_path.slots.items[i].value;
        if (sourced_content(file) && is_certificate_of(packaged_dir, file->entry->path))
            list_add(arena, &names, file->entry->path + strlen(packaged_dir));
    }
    if (!names.count)
        return;
    qsort(names.items, names.count, sizeof names.items[0], compare_names);
    made->content = arena_printf(arena, "%s%s\n", made->content, strings_join(arena, &names, "\n"));
}
