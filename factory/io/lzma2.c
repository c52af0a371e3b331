/* Names are those of the LZMA specification (https://www.7-zip.org/a/lzma-specification.7z); the chunks of LZMA2 are
 * described in the sources of XZ Utils only.
 *
 * Safe with any input: a symbol takes at most SYMBOL_BYTES_MAX bytes, and so many follow the chunk that is decoded (else
 * it is decoded from a copy); what is written is bounded by `limit`, what is read of the window by `reach`. */
#include "io/lzma2.h"

#include <stdlib.h>
#include <sys/mman.h>

#define PIECE_BYTES ((size_t)256 * 1024)
#define CHUNK_BYTES_MAX ((size_t)64 * 1024)
#define SYMBOL_BYTES_MAX ((size_t)24) /* 20 are possible */
/* Copies write up to so many bytes too far, into what no distance reaches any more. */
#define SLACK_BYTES ((size_t)64)
#define HUGE_BYTES ((size_t)2 << 20)

#define STATES 12
#define POSITION_STATES 16
#define LITERAL_PROBABILITIES 0x300
#define LITERAL_CONTEXT_BITS_MAX 4 /* lc + lp */
#define LENGTH_MIN 2u
#define SLOTS 64
#define SLOT_STATES 4
#define SLOTS_OF_MODEL 14 /* below: all bits have probabilities */
#define ALIGN_BITS 4
#define HALF 1024u /* the first probability, in units of 2^-11 */
#define RANGE_MIN ((uint32_t)1 << 24)

typedef uint16_t probability;

struct length_model {
    probability choice, choice2, low[POSITION_STATES][8], mid[POSITION_STATES][8], high[256];
};

struct model {
    probability is_match[STATES][POSITION_STATES], is_rep[STATES], is_rep0[STATES], is_rep1[STATES], is_rep2[STATES],
        is_rep0_long[STATES][POSITION_STATES];
    probability slots[SLOT_STATES][SLOTS], special[128], align[1 << ALIGN_BITS];
    struct length_model match, rep;
    probability literals[LITERAL_PROBABILITIES << LITERAL_CONTEXT_BITS_MAX];
};

/* What changes with every symbol: a copy of it lives in registers. */
struct run {
    const unsigned char *in;
    uint32_t range, code;
    uint32_t state, rep0, rep1, rep2, rep3;
    size_t at;   /* where the next byte goes in the window */
    size_t left; /* of a match that did not fit in front of the limit */
};

struct lzma2 {
    struct model model;
    struct run run;
    char *window;
    size_t window_bytes; /* without the slack behind it; a multiple of 16, so that places are positions modulo 16 */
    size_t reach;        /* the largest distance once the window was full; 0 before */
    unsigned literal_position_bits, literal_context_bits, position_mask;
    const unsigned char *input, *rest, *end;
    const unsigned char *chunk_end; /* within the input or its copy */
    size_t chunk_left;              /* plain bytes of the chunk that are still to come */
    bool is_plain;                  /* the chunk: stored as it is */
    bool wants_dictionary, wants_properties, is_ended;
    unsigned char copy[CHUNK_BYTES_MAX + SYMBOL_BYTES_MAX];
};

#define INLINE static inline __attribute__((always_inline))
#define UNROLL(times) UNROLL_(GCC unroll times)
#define UNROLL_(words) _Pragma(#words)

INLINE void normalize(struct run *run)
{
    if (run->range < RANGE_MIN) {
        run->range <<= 8;
        run->code = run->code << 8 | *run->in++;
    }
}

/* A bit that is often the same. */
INLINE bool take_bit(struct run *run, probability *p)
{
    normalize(run);
    uint32_t bound = (run->range >> 11) * *p;
    if (run->code < bound) {
        run->range = bound;
        *p = (probability)(*p + ((2048u - *p) >> 5));
        return false;
    }
    run->range -= bound;
    run->code -= bound;
    *p = (probability)(*p - (*p >> 5));
    return true;
}

/* A bit that nobody can foresee, whose probability was loaded already: without a branch. Of two values *chosen, which is the one for
 * bit 1, becomes the one for this bit. */
INLINE uint32_t take_hard_bit(struct run *run, probability *p, uint32_t value, uint32_t if_zero, uint32_t *chosen)
{
    normalize(run);
    uint32_t bound = (run->range >> 11) * value, range = run->range - bound, code = run->code - bound;
    uint32_t change = value, change_if_zero = value - (2048 - 31), bit = 1, next = *chosen;
#ifdef __x86_64__
    __asm__("cmpl %[bound], %[old]\n\t"
            "cmovbl %[if_zero], %[next]\n\t"
            "cmovbl %[bound], %[range]\n\t"
            "cmovbl %[old], %[code]\n\t"
            "cmovbl %[change_if_zero], %[change]\n\t"
            "sbbl $0, %[bit]"
            : [code] "+&r"(code), [range] "+&r"(range), [change] "+&r"(change), [bit] "+&r"(bit), [next] "+&r"(next)
            : [bound] "r"(bound), [old] "r"(run->code), [change_if_zero] "r"(change_if_zero), [if_zero] "r"(if_zero)
            : "cc");
#else
    uint32_t is_zero = -(uint32_t)(run->code < bound); /* all bits or none */
    range = (bound & is_zero) | (range & ~is_zero);
    code += bound & is_zero;
    change = (change_if_zero & is_zero) | (change & ~is_zero);
    next = (if_zero & is_zero) | (next & ~is_zero);
    bit = is_zero + 1;
#endif
    run->range = range;
    run->code = code;
    *p = (probability)(value - (uint32_t)((int32_t)change >> 5));
    *chosen = next;
    return bit;
}

/* Both probabilities that can be next are loaded before it is known which. */
INLINE uint32_t take_tree(struct run *run, probability *tree, unsigned bits)
{
    uint32_t symbol = 1, value = tree[1];
    UNROLL(8)
    for (unsigned i = 1; i < bits; i++) {
        uint32_t next = tree[symbol * 2 + 1];
        uint32_t bit = take_hard_bit(run, &tree[symbol], value, tree[symbol * 2], &next);
        symbol = symbol * 2 + bit;
        value = next;
    }
    uint32_t none = 0;
    return symbol * 2 + take_hard_bit(run, &tree[symbol], value, 0, &none) - (1u << bits);
}

INLINE uint32_t take_reverse_tree(struct run *run, probability *tree, unsigned bits)
{
    uint32_t symbol = 1, value = 0;
    UNROLL(6)
    for (unsigned i = 0; i < bits; i++) {
        uint32_t none = 0, bit = take_hard_bit(run, &tree[symbol], tree[symbol], 0, &none);
        symbol = symbol << 1 | bit;
        value |= bit << i;
    }
    return value;
}

/* A literal behind a match is like the byte that would have continued the match. */
INLINE uint32_t take_matched(struct run *run, probability *tree, uint32_t matched)
{
    uint32_t symbol = 1, offset = 0x100, value, place;
    matched <<= 1;
    place = offset + (matched & offset) + 1;
    value = tree[place];
    UNROLL(8)
    for (unsigned i = 1; i < 8; i++) {
        uint32_t same = matched & offset, other = same ^ offset; /* what the offset becomes: bit 1, bit 0 */
        matched <<= 1;
        uint32_t one = same + (matched & same) + symbol * 2 + 1, zero = other + (matched & other) + symbol * 2;
        uint32_t next = tree[one];
        uint32_t bit = take_hard_bit(run, &tree[place], value, tree[zero], &next);
        value = next;
        place = bit ? one : zero;
        offset = bit ? same : other;
        symbol = symbol * 2 + bit;
    }
    uint32_t none = 0;
    return symbol * 2 + take_hard_bit(run, &tree[place], value, 0, &none);
}

INLINE uint32_t take_length(struct run *run, struct length_model *model, unsigned position_state)
{
    if (!take_bit(run, &model->choice))
        return LENGTH_MIN + take_tree(run, model->low[position_state], 3);
    if (!take_bit(run, &model->choice2))
        return LENGTH_MIN + 8 + take_tree(run, model->mid[position_state], 3);
    return LENGTH_MIN + 16 + take_tree(run, model->high, 8);
}

/* A distance minus one. */
INLINE uint32_t take_distance(struct run *run, struct model *model, uint32_t length)
{
    uint32_t state = length - LENGTH_MIN < SLOT_STATES ? length - LENGTH_MIN : SLOT_STATES - 1;
    uint32_t slot = take_tree(run, model->slots[state], 6);
    if (slot < 4)
        return slot;
    unsigned bits = (slot >> 1) - 1;
    uint32_t value = (2 | (slot & 1)) << bits;
    if (slot < SLOTS_OF_MODEL)
        return value + take_reverse_tree(run, model->special + value - slot, bits);
    uint32_t direct = 0;
    for (unsigned i = bits - ALIGN_BITS; i; i--) {
        normalize(run);
        run->range >>= 1;
        run->code -= run->range;
        uint32_t is_zero = 0 - (run->code >> 31);
        run->code += run->range & is_zero;
        direct = (direct << 1) + (is_zero + 1);
    }
    return value + (direct << ALIGN_BITS) + take_reverse_tree(run, model->align, ALIGN_BITS);
}

/* The byte so many (and one) before the place. */
INLINE unsigned char byte_before(const struct lzma2 *lzma2, size_t at, size_t distance)
{
    return (unsigned char)lzma2->window[at > distance ? at - distance - 1 : at + lzma2->window_bytes - distance - 1];
}

INLINE void take_literal(struct lzma2 *lzma2, struct run *run)
{
    uint32_t before = byte_before(lzma2, run->at, 0);
    uint32_t low = (uint32_t)run->at & ((1u << lzma2->literal_position_bits) - 1);
    probability *tree = lzma2->model.literals +
                        (size_t)LITERAL_PROBABILITIES *
                            ((low << lzma2->literal_context_bits) + (before >> (8 - lzma2->literal_context_bits)));
    uint32_t symbol;
    if (run->state < 7) {
        symbol = take_tree(run, tree, 8);
        run->state = run->state < 4 ? 0 : run->state - 3;
    } else {
        symbol = take_matched(run, tree, byte_before(lzma2, run->at, run->rep0));
        run->state = run->state < 10 ? run->state - 3 : run->state - 6;
    }
    lzma2->window[run->at++] = (char)symbol;
}

INLINE void copy_near(char *to, size_t distance, size_t len)
{
    const char *from = to - distance;
    if (distance >= 16) {
        for (size_t i = 0; i < len; i += 16)
            memcpy(to + i, from + i, 16);
    } else if (distance >= 8) {
        for (size_t i = 0; i < len; i += 8)
            memcpy(to + i, from + i, 8);
    } else if (distance == 1) {
        memset(to, *from, len);
    } else {
        for (size_t i = 0; i < len; i++)
            to[i] = from[i];
    }
}

/* Copies what it can of `run->left` bytes. */
INLINE void copy_match(const struct lzma2 *lzma2, struct run *run, size_t limit)
{
    size_t distance = (size_t)run->rep0 + 1, room = limit - run->at, len = run->left < room ? run->left : room;
    char *to = lzma2->window + run->at;
    if (distance <= run->at) {
        copy_near(to, distance, len);
    } else {
        for (size_t i = 0, from = run->at + lzma2->window_bytes - distance; i < len; i++) {
            to[i] = lzma2->window[from];
            from = from + 1 == lzma2->window_bytes ? 0 : from + 1;
        }
    }
    run->at += len;
    run->left -= len;
}

/* Takes which earlier distance it is; returns false for a single byte. */
INLINE bool take_rep(struct run *run, struct model *model, unsigned position_state)
{
    uint32_t distance = run->rep0;
    if (!take_bit(run, &model->is_rep0[run->state])) {
        return take_bit(run, &model->is_rep0_long[run->state][position_state]);
    } else if (!take_bit(run, &model->is_rep1[run->state])) {
        distance = run->rep1;
    } else {
        if (!take_bit(run, &model->is_rep2[run->state])) {
            distance = run->rep2;
        } else {
            distance = run->rep3;
            run->rep3 = run->rep2;
        }
        run->rep2 = run->rep1;
    }
    run->rep1 = run->rep0;
    run->rep0 = distance;
    return true;
}

INLINE void take_match(struct run *run, struct model *model, unsigned position_state)
{
    if (!take_bit(run, &model->is_rep[run->state])) {
        run->rep3 = run->rep2;
        run->rep2 = run->rep1;
        run->rep1 = run->rep0;
        run->left = take_length(run, &model->match, position_state);
        run->rep0 = take_distance(run, model, (uint32_t)run->left);
        run->state = run->state < 7 ? 7 : 10;
    } else if (take_rep(run, model, position_state)) {
        run->left = take_length(run, &model->rep, position_state);
        run->state = run->state < 7 ? 8 : 11;
    } else {
        run->left = 1;
        run->state = run->state < 7 ? 9 : 11;
    }
}

/* Decodes up to the limit. Returns whether all was possible. */
static bool decode(struct lzma2 *lzma2, size_t limit)
{
    struct run run = lzma2->run;
    struct model *model = &lzma2->model;
    bool is_good = true;
    if (run.left)
        copy_match(lzma2, &run, limit);
    while (is_good && run.at < limit) {
        unsigned position_state = (unsigned)run.at & lzma2->position_mask;
        if (!take_bit(&run, &model->is_match[run.state][position_state])) {
            take_literal(lzma2, &run);
        } else {
            take_match(&run, model, position_state);
            is_good = run.rep0 < run.at || run.rep0 < lzma2->reach;
            if (is_good)
                copy_match(lzma2, &run, limit);
        }
        is_good = is_good && run.in <= lzma2->chunk_end;
    }
    lzma2->run = run;
    return is_good;
}

static const char broken[] = "broken xz data";

/* All probabilities of the model, which are all of its members, are a half. */
static void reset_state(struct lzma2 *lzma2)
{
    probability *all = (probability *)&lzma2->model;
    for (size_t i = 0; i < sizeof lzma2->model / sizeof *all; i++)
        all[i] = HALF;
    struct run *run = &lzma2->run;
    run->state = run->rep0 = run->rep1 = run->rep2 = run->rep3 = 0;
}

static bool take_properties(struct lzma2 *lzma2, unsigned byte)
{
    unsigned lc = byte % 9, lp = byte / 9 % 5, pb = byte / 45;
    if (pb > 4 || lc + lp > LITERAL_CONTEXT_BITS_MAX)
        return false;
    lzma2->literal_context_bits = lc;
    lzma2->literal_position_bits = lp;
    lzma2->position_mask = (1u << pb) - 1;
    return true;
}

/* Forgets all bytes; the one in front of the first is 0. */
static void reset_dictionary(struct lzma2 *lzma2)
{
    lzma2->run.at = 0;
    lzma2->reach = 0;
    lzma2->window[lzma2->window_bytes - 1] = 0;
}

/* Begins an LZMA chunk of so many bytes: the range decoder's first five are at its front. */
static bool begin_coded(struct lzma2 *lzma2, size_t coded_bytes)
{
    const unsigned char *in = lzma2->rest;
    if (coded_bytes < 5 || (size_t)(lzma2->end - in) < coded_bytes)
        return false;
    lzma2->rest += coded_bytes;
    if ((size_t)(lzma2->end - lzma2->rest) < SYMBOL_BYTES_MAX) {
        memcpy(lzma2->copy, in, coded_bytes);
        memset(lzma2->copy + coded_bytes, 0, SYMBOL_BYTES_MAX);
        in = lzma2->copy;
    }
    lzma2->chunk_end = in + coded_bytes;
    lzma2->run.range = UINT32_MAX;
    lzma2->run.code = (uint32_t)in[1] << 24 | (uint32_t)in[2] << 16 | (uint32_t)in[3] << 8 | in[4];
    lzma2->run.in = in + 5;
    return in[0] == 0;
}

/* Reads the sizes of a chunk and resets what it says. */
static bool begin_chunk(struct lzma2 *lzma2, unsigned control)
{
    bool is_coded = control >= 0x80, has_properties = control >= 0xC0;
    size_t header_bytes = is_coded ? 4u + has_properties : 2u;
    const unsigned char *header = lzma2->rest;
    if ((size_t)(lzma2->end - header) < header_bytes || (!is_coded && control > 2))
        return false;
    lzma2->rest += header_bytes;
    lzma2->is_plain = !is_coded;
    lzma2->chunk_left = (is_coded ? (size_t)(control & 0x1F) << 16 : 0) + ((size_t)header[0] << 8) + header[1] + 1;
    if (!is_coded)
        return (size_t)(lzma2->end - lzma2->rest) >= lzma2->chunk_left;
    if (has_properties && !take_properties(lzma2, header[4]))
        return false;
    if (lzma2->wants_properties && !has_properties)
        return false;
    lzma2->wants_properties = false;
    if (control >= 0xA0)
        reset_state(lzma2);
    return begin_coded(lzma2, ((size_t)header[2] << 8) + header[3] + 1);
}

/* An LZMA chunk ends with its last symbol, whole and exactly. */
static bool end_chunk(struct lzma2 *lzma2)
{
    if (lzma2->is_plain)
        return true;
    normalize(&lzma2->run);
    return !lzma2->run.left && lzma2->run.in == lzma2->chunk_end && lzma2->run.code == 0;
}

/* Goes to the next chunk that has bytes; *ret_is_cut when a new dictionary begins, before which the piece has to end. */
static bool next_chunk(struct lzma2 *lzma2, size_t piece_bytes, bool *ret_is_cut)
{
    if (lzma2->rest == lzma2->end)
        return false;
    unsigned control = *lzma2->rest;
    bool is_reset = control == 1 || control >= 0xE0;
    *ret_is_cut = is_reset && piece_bytes;
    if (*ret_is_cut)
        return true;
    lzma2->rest++;
    if (control == 0) {
        lzma2->is_ended = true;
        return true;
    }
    if (is_reset) {
        reset_dictionary(lzma2);
        lzma2->wants_properties = true;
    } else if (lzma2->wants_dictionary) {
        return false;
    }
    lzma2->wants_dictionary = false;
    return begin_chunk(lzma2, control);
}

/* Makes bytes of the chunk, up to the limit. */
static bool fill(struct lzma2 *lzma2, size_t limit)
{
    size_t before = lzma2->run.at, room = limit - before;
    size_t len = lzma2->chunk_left < room ? lzma2->chunk_left : room;
    if (lzma2->is_plain) {
        memcpy(lzma2->window + before, lzma2->rest, len);
        lzma2->rest += len;
        lzma2->run.at += len;
    } else if (!decode(lzma2, before + len)) {
        return false;
    }
    lzma2->chunk_left -= len;
    return lzma2->chunk_left || end_chunk(lzma2);
}

const char *lzma2_next(struct lzma2 *lzma2, struct text *ret_piece)
{
    bool is_cut = false;
    if (lzma2->run.at == lzma2->window_bytes) {
        lzma2->reach = lzma2->window_bytes - SLACK_BYTES;
        lzma2->run.at = 0;
    }
    size_t begin = lzma2->run.at, left = lzma2->window_bytes - begin;
    size_t limit = begin + (left < PIECE_BYTES ? left : PIECE_BYTES);
    while (!lzma2->is_ended && !is_cut && lzma2->run.at < limit) {
        bool is_good = lzma2->chunk_left ? fill(lzma2, limit) : next_chunk(lzma2, lzma2->run.at - begin, &is_cut);
        if (!is_good)
            return broken;
        if (lzma2->run.at < begin) /* a new dictionary */
            begin = 0, limit = PIECE_BYTES < lzma2->window_bytes ? PIECE_BYTES : lzma2->window_bytes;
    }
    *ret_piece = (struct text){lzma2->window + begin, lzma2->run.at - begin};
    return NULL;
}

void lzma2_begin(struct lzma2 *lzma2, struct text input)
{
    lzma2->input = lzma2->rest = (const unsigned char *)input.ptr;
    lzma2->end = lzma2->input + input.len;
    lzma2->chunk_left = lzma2->run.left = 0;
    lzma2->is_ended = false;
    lzma2->wants_dictionary = lzma2->wants_properties = true;
    reset_dictionary(lzma2);
}

size_t lzma2_used(const struct lzma2 *lzma2)
{
    return (size_t)(lzma2->rest - lzma2->input);
}

/* Large windows are on large pages, where there are such: a match can be anywhere. */
struct lzma2 *lzma2_open(uint64_t dictionary_bytes, uint64_t plain_bytes_max)
{
    uint64_t wanted = dictionary_bytes < plain_bytes_max ? dictionary_bytes : plain_bytes_max;
    struct lzma2 *lzma2 = malloc(sizeof *lzma2);
    if (!lzma2)
        memory_abort(sizeof *lzma2);
    lzma2->window_bytes = ((size_t)wanted + POSITION_STATES - 1) / POSITION_STATES * POSITION_STATES + SLACK_BYTES;
    bool is_large = lzma2->window_bytes >= 2 * HUGE_BYTES;
    size_t unit = is_large ? HUGE_BYTES : SLACK_BYTES;
    size_t bytes = (lzma2->window_bytes + SLACK_BYTES + unit - 1) / unit * unit;
    lzma2->window = aligned_alloc(unit, bytes);
    if (!lzma2->window)
        memory_abort(bytes);
    if (is_large)
        (void)madvise(lzma2->window, bytes, MADV_HUGEPAGE);
    lzma2->run = (struct run){0};
    reset_state(lzma2);
    return lzma2;
}

void lzma2_close(struct lzma2 *lzma2)
{
    if (!lzma2)
        return;
    free(lzma2->window);
    free(lzma2);
}
