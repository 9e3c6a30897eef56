/* What both C yardsticks share: draws, a 4-ary heap, log-bucket histograms, exact moments, a growing ring. */
#ifndef YARDSTICK_COMMON_H
#define YARDSTICK_COMMON_H

#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#ifndef METRICS
#define METRICS 1
#endif

#define SECOND INT64_C(1000000000)
#define NEVER INT64_MAX
#define INLINE static inline __attribute__((always_inline))
#define UNUSED __attribute__((unused))

static void *allocate(size_t count, size_t size) {
    void *memory = calloc(count, size);
    if (!memory) {
        fprintf(stderr, "out of memory\n");
        exit(1);
    }
    return memory;
}

static double cpu_seconds(void) {
    struct timespec t;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* --- draws: a number is a pure function of (key, index); the mixer is that of splitmix64 ------------------------- */

#define GOLDEN UINT64_C(0x9e3779b97f4a7c15)

INLINE uint64_t mix(uint64_t x) {
    x = (x ^ (x >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    x = (x ^ (x >> 27)) * UINT64_C(0x94d049bb133111eb);
    return x ^ (x >> 31);
}
INLINE uint64_t derive(uint64_t key, uint64_t index) { return mix(key + (index + 1) * GOLDEN); }
INLINE double uniform(uint64_t key, uint64_t index) {
    return ((double)(derive(key, index) >> 11) + 0.5) * 0x1p-53;
}
INLINE int64_t exponential(uint64_t key, uint64_t index, double mean_ns) {
    return (int64_t)(-mean_ns * log(uniform(key, index)) + 0.5);
}

/* --- the event set: implicit 4-ary heap; an entry is (time, kind and slot), ordered by both ---------------------- */

typedef struct {
    int64_t time;
    uint64_t tag;
} Entry;

typedef struct {
    Entry *at;   /* laid so that the four children of a node share one cache line */
    void *block; /* what at lies in */
    int64_t size, room;
    int hole; /* the top was taken and nothing has filled its place yet */
} Heap;

INLINE unsigned __int128 order(Entry e) { return ((unsigned __int128)(uint64_t)e.time << 64) | e.tag; }

static void heap_room(Heap *h, int64_t room) {
    void *block = aligned_alloc(64, (size_t)(64 + (room + 4) * 16 + 63) / 64 * 64);
    if (!block) exit(1);
    Entry *at = (Entry *)((char *)block + 48);
    if (h->block) memcpy(at, h->at, (size_t)h->size * sizeof(Entry));
    free(h->block);
    h->block = block, h->at = at, h->room = room;
}
INLINE void sift_down(Heap *h, Entry e) {
    int64_t i = 0, n = h->size;
    Entry *a = h->at;
    for (;;) {
        int64_t c = 4 * i + 1;
        if (c + 3 < n) {
            unsigned __int128 k0 = order(a[c]), k1 = order(a[c + 1]), k2 = order(a[c + 2]), k3 = order(a[c + 3]);
            int64_t x = c + (k1 < k0), y = c + 2 + (k3 < k2);
            unsigned __int128 kx = k1 < k0 ? k1 : k0, ky = k3 < k2 ? k3 : k2;
            int64_t m = ky < kx ? y : x;
            if (order(e) <= (ky < kx ? ky : kx)) break;
            a[i] = a[m], i = m;
        } else {
            if (c >= n) break;
            int64_t m = c;
            for (int64_t k = c + 1; k < n; k++)
                if (order(a[k]) < order(a[m])) m = k;
            if (order(e) <= order(a[m])) break;
            a[i] = a[m], i = m;
        }
    }
    a[i] = e;
}
INLINE void heap_push(Heap *h, int64_t time, uint64_t tag) {
    Entry e = {time, tag};
    if (h->hole) { /* a successor takes the place of the event being handled: one descent instead of two walks */
        h->hole = 0;
        sift_down(h, e);
        return;
    }
    if (h->size == h->room) heap_room(h, h->room ? 2 * h->room : 64);
    int64_t i = h->size++;
    while (i > 0) {
        int64_t p = (i - 1) >> 2;
        if (order(h->at[p]) <= order(e)) break;
        h->at[i] = h->at[p], i = p;
    }
    h->at[i] = e;
}
INLINE Entry heap_take(Heap *h) {
    h->hole = 1;
    return h->at[0];
}
INLINE void heap_settle(Heap *h) {
    if (!h->hole) return;
    h->hole = 0;
    Entry last = h->at[--h->size];
    if (h->size) sift_down(h, last);
}

/* --- histogram of int64 nanoseconds: 128 columns an octave, so the middle of a column errs by less than 0.4 % ---- */

enum { HIST_SIZE = 58 * 128 };

INLINE int hist_column(int64_t ns) {
    uint64_t v = (uint64_t)ns;
    if (v < 128) return (int)v;
    int shift = 56 - __builtin_clzll(v); /* keeps the leading eight bits */
    return (shift << 7) + (int)(v >> shift);
}
UNUSED static double hist_middle(int column) {
    if (column < 256) return (double)column;
    int shift = (column >> 7) - 1;
    return ((double)(128 + (column & 127)) + 0.5) * (double)(INT64_C(1) << shift);
}
UNUSED static double hist_quantile(const int64_t *h, double q) {
    int64_t total = 0, seen = 0;
    for (int i = 0; i < HIST_SIZE; i++) total += h[i];
    for (int i = 0; i < HIST_SIZE; i++)
        if ((seen += h[i]) > 0 && (double)seen >= q * (double)total) return hist_middle(i) * 1e-9;
    return 0.0;
}

/* One observed duration: how often, its exact sum and sum of squares, its largest value, its histogram. */
typedef struct {
    int64_t count, max;
    __int128 sum;
    unsigned __int128 squares;
    int64_t *columns;
} Duration;

UNUSED static void duration_init(Duration *d) {
    memset(d, 0, sizeof *d);
    d->columns = allocate(HIST_SIZE, sizeof(int64_t));
}
INLINE void observe(Duration *d, int64_t ns) {
    d->count++;
    d->sum += ns;
    d->squares += (unsigned __int128)(uint64_t)ns * (uint64_t)ns;
    if (ns > d->max) d->max = ns;
    d->columns[hist_column(ns)]++;
}
UNUSED static double duration_mean(const Duration *d) { return d->count ? (double)d->sum / (double)d->count * 1e-9 : 0.0; }

/* A level over time: its integral, exact, and its largest value. */
typedef struct {
    int64_t level, max;
    int64_t since, area; /* of the current bucket */
    __int128 total;
} Level;

INLINE void level_add(Level *l, int64_t now, int64_t by) {
    l->area += l->level * (now - l->since);
    l->since = now;
    l->level += by;
    if (l->level > l->max) l->max = l->level;
}
INLINE int64_t level_cut(Level *l, int64_t now) { /* closes a bucket and returns its integral */
    int64_t area = l->area + l->level * (now - l->since);
    l->since = now, l->area = 0, l->total += area;
    return area;
}

/* --- first in, first out ----------------------------------------------------------------------------------------- */

typedef struct {
    int32_t *at;
    uint64_t head, tail, mask;
} Ring;

static void ring_grow(Ring *r) {
    uint64_t room = r->at ? 2 * (r->mask + 1) : 64;
    int32_t *at = allocate(room, sizeof *at);
    uint64_t n = 0;
    for (uint64_t i = r->head; i != r->tail; i++) at[n++] = r->at[i & r->mask];
    free(r->at);
    r->at = at, r->head = 0, r->tail = n, r->mask = room - 1;
}
INLINE void ring_put(Ring *r, int32_t v) {
    if (!r->at || r->tail - r->head > r->mask) ring_grow(r);
    r->at[r->tail++ & r->mask] = v;
}
INLINE int32_t ring_take(Ring *r) { return r->at[r->head++ & r->mask]; }

#endif
