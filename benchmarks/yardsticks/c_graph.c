/* Yardstick: the graph of ten services, in plain C.
 *
 *   gcc -O3 -march=native -DMETRICS=1 c_graph.c -o c_graph -lm
 *   ./c_graph RATE_PER_S WORKERS DURATION_S BUCKET_S SEED
 *
 * Service 0 calls 1, 2 and 3 in parallel; 1 calls 4 and 5; 2 calls 6 and 7; 3 calls 8 and 9. A request works for an
 * exponential time of mean 200 ms, gives its worker back while it waits for its calls, and rejoins the queue ahead of
 * fresh requests when they have ended. An attempt is given up after 4, 2 or 1 s by tier, and what was given up is worked
 * off all the same. A call makes up to four attempts, with full jitter between them, each past a circuit breaker.
 *
 * Timeouts are constant in each tier, so they lie in three first-in-first-out lanes and not in the heap. With METRICS=1
 * the program keeps what sysim keeps for this system. */
#include "common.h"

enum { SERVICES = 10, EDGES = 10, LANES = 3, ATTEMPTS = 4, WINDOW = 100, COARSE = 512 };
enum { ARRIVAL = 0, DONE = 1, BACKOFF = 2 };
enum { OK = 0, ERROR = 2, TIMEOUT = 3, CIRCUIT_OPEN = 7, OUTCOMES = 14 };
enum { CLOSED = 0, OPEN = 1, HALF_OPEN = 2 };

/* Edge e is the call to service e; edge 0 is that of the load. */
static const int FIRST_CHILD[SERVICES] = {1, 4, 6, 8, 0, 0, 0, 0, 0, 0};
static const int CHILDREN[SERVICES] = {3, 2, 2, 2, 0, 0, 0, 0, 0, 0};
static const int LANE[EDGES] = {0, 1, 1, 1, 2, 2, 2, 2, 2, 2};
static const int64_t TIMEOUT_NS[LANES] = {4 * SECOND, 2 * SECOND, 1 * SECOND};
static const double WORK_NS = 200e6, BACKOFF_NS = 50e6, BACKOFF_MAX_NS = 1e9;

typedef struct { /* a call: up to four attempts at one service */
    uint64_t key;
    int64_t began;
    int32_t parent; /* the visit that waits for it, or -1 for the load */
    int32_t bucket, next_free;
    uint8_t edge, attempts;
} Call;

typedef struct { /* a visit: one attempt as its service sees it */
    uint64_t key;
    int64_t arrived, started;
    int32_t call, bucket, next_free;
    uint32_t generation; /* of the call, when this attempt began */
    uint8_t service, open, failed;
} Visit;

typedef struct {
    uint64_t bits[2];
    int64_t until;
    uint32_t at, filled, failures;
    uint8_t state, probes, probed;
} Breaker;

typedef struct {
    int64_t time;
    int32_t call;
    uint32_t generation;
} Timer;

typedef struct {
    Timer *at;
    uint64_t head, tail, mask;
    int64_t first; /* the time of the head, or NEVER */
} Lane;

typedef struct {
    Ring fresh, resumed;
    int64_t busy;
} Station;

static Heap heap;
static Lane lanes[LANES];
static Station stations[SERVICES];
static Breaker breakers[EDGES];
static Call *calls;
static Visit *visits;
static uint32_t *generations; /* of the attempt a call waits for; apart from the calls, for the liveness check */
static int32_t call_room, call_used, call_free = -1, visit_room, visit_used, visit_free = -1;
static int64_t now, workers, in_flight, peak_in_flight;
static int64_t n_arrivals, n_completed, n_timeouts, n_retries, n_requests, n_ended, n_good, n_stale;

#if METRICS
typedef struct {
    int64_t arrivals, completed, abandoned, outcomes[OUTCOMES];
    Duration wait, sojourn;
    Level in_system, queue, busy;
} ServiceRecord;
typedef struct {
    int64_t calls, attempts, sent, retries, refused, opened, outcomes[OUTCOMES], attempt_outcomes[OUTCOMES];
} EdgeRecord;
typedef struct {
    int64_t arrivals, completed, in_system, queue, busy, calls, attempts, retries, failed_attempts;
} ServiceBucket;
typedef struct {
    int64_t offered, outcomes[OUTCOMES], done, done_ok;
    uint32_t latency[COARSE];
} LoadBucket;

static ServiceRecord services[SERVICES];
static EdgeRecord edges[EDGES];
static Duration latency, latency_all;
static int64_t bucket, bucket_edge, bucket_width;
static ServiceBucket *service_buckets; /* [bucket][service] */
static LoadBucket *load_buckets;
#define RECORD(...) __VA_ARGS__
#else
#define RECORD(...)
#endif

static void lane_grow(Lane *l) {
    uint64_t room = l->at ? 2 * (l->mask + 1) : 1024, n = 0;
    Timer *at = allocate(room, sizeof *at);
    for (uint64_t i = l->head; i != l->tail; i++) at[n++] = l->at[i & l->mask];
    free(l->at);
    l->at = at, l->head = 0, l->tail = n, l->mask = room - 1;
}
INLINE void lane_put(Lane *l, int64_t time, int32_t call, uint32_t generation) {
    if (!l->at || l->tail - l->head > l->mask) lane_grow(l);
    if (l->head == l->tail) l->first = time;
    l->at[l->tail++ & l->mask] = (Timer){time, call, generation};
}
INLINE Timer lane_take(Lane *l) {
    Timer t = l->at[l->head++ & l->mask];
    l->first = l->head == l->tail ? NEVER : l->at[l->head & l->mask].time;
    return t;
}

INLINE int32_t new_call(void) {
    int32_t c = call_free;
    if (c >= 0) {
        call_free = calls[c].next_free;
        return c;
    }
    if (call_used == call_room) {
        call_room = call_room ? 2 * call_room : 1024;
        calls = realloc(calls, (size_t)call_room * sizeof *calls);
        generations = realloc(generations, (size_t)call_room * sizeof *generations);
        if (!calls || !generations) exit(1);
    }
    generations[call_used] = 0;
    return call_used++;
}
INLINE int32_t new_visit(void) {
    int32_t v = visit_free;
    if (v >= 0) {
        visit_free = visits[v].next_free;
        return v;
    }
    if (visit_used == visit_room) {
        visit_room = visit_room ? 2 * visit_room : 1024;
        visits = realloc(visits, (size_t)visit_room * sizeof *visits);
        if (!visits) exit(1);
    }
    return visit_used++;
}
INLINE void drop_visit(int32_t v) { visits[v].next_free = visit_free, visit_free = v; }

/* --- the circuit breaker: half of the last hundred attempts failed; open for 60 s; ten probes --------------------- */

INLINE int breaker_admits(Breaker *b) {
    if (b->state == CLOSED) return 1;
    if (b->state == OPEN) {
        if (now < b->until) return 0;
        b->state = HALF_OPEN, b->probes = 0, b->probed = 0, b->failures = 0;
    }
    return b->probes < 10 ? (b->probes++, 1) : 0;
}
INLINE void breaker_notes(Breaker *b, int edge, int failed) {
    (void)edge;
    if (b->state == OPEN) return;
    if (b->state == HALF_OPEN) {
        b->failures += (uint32_t)failed;
        if (++b->probed < 10) return;
        int again = 2 * b->failures >= 10;
        memset(b, 0, sizeof *b);
        if (again) b->state = OPEN, b->until = now + 60 * SECOND;
        RECORD(edges[edge].opened += again;)
        return;
    }
    uint64_t bit = UINT64_C(1) << (b->at & 63), *word = &b->bits[b->at >> 6];
    b->failures -= (*word & bit) != 0;
    *word = failed ? *word | bit : *word & ~bit;
    b->failures += (uint32_t)failed;
    b->at = b->at + 1 == WINDOW ? 0 : b->at + 1;
    if (b->filled < WINDOW) b->filled++;
    if (b->filled == WINDOW && 2 * b->failures >= WINDOW) {
        memset(b, 0, sizeof *b);
        b->state = OPEN, b->until = now + 60 * SECOND;
        RECORD(edges[edge].opened++;)
    }
}

/* --- the story of a request --------------------------------------------------------------------------------------- */

static void end_call(int32_t c, int outcome);
static void complete(int32_t v, int outcome);

INLINE void begin_work(int32_t v) {
    Visit *visit = &visits[v];
    RECORD(visit->started = now;)
    heap_push(&heap, now + exponential(visit->key, 0, WORK_NS), (uint64_t)v << 2 | DONE);
}

static void try_again(int32_t c, int outcome) {
    Call *call = &calls[c];
    if (call->attempts == ATTEMPTS) {
        end_call(c, outcome);
        return;
    }
    double pause = BACKOFF_NS * (double)(1 << (call->attempts - 1));
    if (pause > BACKOFF_MAX_NS) pause = BACKOFF_MAX_NS;
    pause *= uniform(call->key, 64 + call->attempts);
    heap_push(&heap, now + (int64_t)(pause + 0.5), (uint64_t)c << 2 | BACKOFF);
}

static void attempt(int32_t c) {
    Call *call = &calls[c];
    int s = call->edge;
    int again = call->attempts++ > 0;
    n_retries += again;
    RECORD(edges[s].attempts++; edges[s].retries += again; ServiceBucket *sb = &service_buckets[bucket * SERVICES + s];
           sb->attempts++; sb->retries += again;)
    if (!breaker_admits(&breakers[s])) {
        RECORD(edges[s].refused++; edges[s].attempt_outcomes[CIRCUIT_OPEN]++;)
        end_call(c, CIRCUIT_OPEN);
        return;
    }
    RECORD(edges[s].sent++;)
    uint32_t generation = ++generations[c];
    lane_put(&lanes[LANE[s]], now + TIMEOUT_NS[LANE[s]], c, generation);
    int32_t v = new_visit();
    Visit *visit = &visits[v];
    visit->key = derive(call->key, call->attempts);
    visit->call = c, visit->generation = generation, visit->service = (uint8_t)s, visit->open = 0, visit->failed = 0;
    n_arrivals++;
    Station *station = &stations[s];
    RECORD(visit->arrived = now; visit->bucket = (int32_t)bucket; services[s].arrivals++; sb->arrivals++;
           level_add(&services[s].in_system, now, 1);)
    if (station->busy < workers) {
        station->busy++;
        RECORD(level_add(&services[s].busy, now, 1);)
        begin_work(v);
    } else {
        RECORD(level_add(&services[s].queue, now, 1);)
        ring_put(&station->fresh, v);
    }
}

static void start_call(int32_t parent, int edge, uint64_t key) {
    int32_t c = new_call();
    Call *call = &calls[c];
    call->key = key, call->parent = parent, call->edge = (uint8_t)edge, call->attempts = 0;
    RECORD(call->began = now; call->bucket = (int32_t)bucket; edges[edge].calls++;
           service_buckets[bucket * SERVICES + edge].calls++;)
    attempt(c);
}

static void end_call(int32_t c, int outcome) {
    Call *call = &calls[c];
    int32_t v = call->parent;
    RECORD(edges[call->edge].outcomes[outcome]++;)
    if (v < 0) {
        n_ended++, in_flight--, n_good += outcome == OK;
        RECORD(int64_t span = now - call->began; observe(&latency_all, span); LoadBucket *lb = &load_buckets[call->bucket];
               lb->outcomes[outcome]++; load_buckets[bucket].done++;
               if (outcome == OK) {
                   observe(&latency, span);
                   load_buckets[bucket].done_ok++;
                   lb->latency[(hist_column(span) >> 3) & (COARSE - 1)]++;
               })
    }
    call->next_free = call_free, call_free = c;
    if (v < 0) return;
    Visit *visit = &visits[v];
    visit->open--;
    if (outcome != OK && !visit->failed) {
        visit->failed = 1;
        complete(v, ERROR); /* at once; the other calls run on */
    } else if (visit->open == 0) {
        if (visit->failed) {
            drop_visit(v);
        } else if (stations[visit->service].busy < workers) {
            complete(v, OK); /* a free worker takes it and has nothing left to do */
        } else {
            RECORD(level_add(&services[visit->service].queue, now, 1);)
            ring_put(&stations[visit->service].resumed, v);
        }
    }
}

static void complete(int32_t v, int outcome) {
    Visit *visit = &visits[v];
    int32_t c = visit->call;
    int s = visit->service, awaited = visit->generation == generations[c];
    n_completed++;
    RECORD(ServiceRecord *r = &services[s]; r->completed++; r->outcomes[outcome]++; r->abandoned += !awaited;
           service_buckets[visit->bucket * SERVICES + s].completed++; observe(&r->wait, visit->started - visit->arrived);
           observe(&r->sojourn, now - visit->arrived); level_add(&r->in_system, now, -1);)
    if (visit->open == 0) drop_visit(v);
    if (!awaited) return;
    generations[c]++; /* the timer of this attempt is stale from here on */
    breaker_notes(&breakers[s], s, outcome != OK);
    RECORD(edges[s].attempt_outcomes[outcome]++;
           service_buckets[bucket * SERVICES + s].failed_attempts += outcome != OK;)
    if (outcome == OK)
        end_call(c, OK);
    else
        try_again(c, outcome);
}

INLINE void work_done(int32_t v) {
    int s = visits[v].service;
    Station *station = &stations[s];
    while (station->resumed.head != station->resumed.tail) {
        RECORD(level_add(&services[s].queue, now, -1);)
        complete(ring_take(&station->resumed), OK);
    }
    if (station->fresh.head != station->fresh.tail) {
        RECORD(level_add(&services[s].queue, now, -1);)
        begin_work(ring_take(&station->fresh));
    } else {
        station->busy--;
        RECORD(level_add(&services[s].busy, now, -1);)
    }
    int children = CHILDREN[s];
    if (!children) {
        complete(v, OK);
        return;
    }
    uint64_t key = visits[v].key;
    visits[v].open = (uint8_t)children;
    for (int k = 0; k < children; k++) start_call(v, FIRST_CHILD[s] + k, derive(key, 8 + (uint64_t)k));
}

INLINE void give_up(Timer t) {
    if (generations[t.call] != t.generation) {
        n_stale++;
        return;
    }
    int s = calls[t.call].edge;
    generations[t.call]++;
    n_timeouts++;
    RECORD(edges[s].attempt_outcomes[TIMEOUT]++; service_buckets[bucket * SERVICES + s].failed_attempts++;)
    breaker_notes(&breakers[s], s, 1);
    try_again(t.call, TIMEOUT);
}

int main(int argc, char **argv) {
    if (argc != 6) {
        fprintf(stderr, "usage: %s RATE_PER_S WORKERS DURATION_S BUCKET_S SEED\n", argv[0]);
        return 2;
    }
    double gap_ns = 1e9 / atof(argv[1]);
    workers = atoll(argv[2]);
    int64_t end = (int64_t)(1e9 * atof(argv[3]));
    uint64_t seed = derive(strtoull(argv[5], NULL, 10), 0);
#if METRICS
    bucket_edge = bucket_width = (int64_t)(1e9 * atof(argv[4]));
    size_t n_buckets = (size_t)((end + bucket_width - 1) / bucket_width) + 1;
    service_buckets = allocate(n_buckets * SERVICES, sizeof *service_buckets);
    load_buckets = allocate(n_buckets, sizeof *load_buckets);
    duration_init(&latency), duration_init(&latency_all);
    for (int s = 0; s < SERVICES; s++) duration_init(&services[s].wait), duration_init(&services[s].sojourn);
#endif
    for (int l = 0; l < LANES; l++) lanes[l].first = NEVER;

    double begin = cpu_seconds();
    uint64_t next_key = derive(seed, 0);
    heap_push(&heap, exponential(next_key, 0, gap_ns), ARRIVAL);
    for (;;) {
        int64_t next = heap.at[0].time;
        Lane *lane = lanes[0].first < lanes[1].first ? &lanes[0] : &lanes[1];
        if (lanes[2].first < lane->first) lane = &lanes[2];
        int timer = lane->first < next; /* at the same instant the timeout is last */
        now = timer ? lane->first : next;
        if (now >= end) break;
#if METRICS
        while (now >= bucket_edge) {
            for (int s = 0; s < SERVICES; s++) {
                ServiceBucket *b = &service_buckets[bucket * SERVICES + s];
                b->in_system = level_cut(&services[s].in_system, bucket_edge);
                b->queue = level_cut(&services[s].queue, bucket_edge);
                b->busy = level_cut(&services[s].busy, bucket_edge);
            }
            bucket++, bucket_edge += bucket_width;
        }
#endif
        if (timer) {
            give_up(lane_take(lane));
            continue;
        }
        Entry e = heap_take(&heap);
        int32_t slot = (int32_t)(e.tag >> 2);
        switch (e.tag & 3) {
        case ARRIVAL: {
            uint64_t key = next_key;
            next_key = derive(seed, (uint64_t)++n_requests);
            heap_push(&heap, now + exponential(next_key, 0, gap_ns), ARRIVAL);
            if (++in_flight > peak_in_flight) peak_in_flight = in_flight;
            RECORD(load_buckets[bucket].offered++;)
            start_call(-1, 0, derive(key, 1));
            break;
        }
        case DONE: work_done(slot); break;
        default: attempt(slot);
        }
        heap_settle(&heap);
    }
    double cpu = cpu_seconds() - begin;

    int64_t useful = n_arrivals + n_completed + n_timeouts + n_retries;
    printf("{\"name\": \"c_graph\", \"metrics\": %d, \"useful_events\": %lld, \"requests\": %lld, \"ok\": %lld, "
           "\"timeouts\": %lld, \"retries\": %lld, \"stale_timers\": %lld, \"peak_in_flight\": %lld, \"cpu_s\": %.6f",
           METRICS, (long long)useful, (long long)n_ended, (long long)n_good, (long long)n_timeouts,
           (long long)n_retries, (long long)n_stale, (long long)peak_in_flight, cpu);
#if METRICS
    printf(", \"latency_mean_s\": %.6g, \"latency_p99_s\": %.6g, \"in_flight_mean\": %.6g, \"services\": {",
           duration_mean(&latency), hist_quantile(latency.columns, 0.99), (double)latency_all.sum / (double)end);
    for (int s = 0; s < SERVICES; s++) {
        ServiceRecord *r = &services[s];
        level_cut(&r->in_system, end), level_cut(&r->queue, end), level_cut(&r->busy, end);
        printf("%s\"s%d\": {\"arrivals\": %lld, \"completed\": %lld, \"utilisation\": %.5g, \"queue_mean\": %.5g, "
               "\"wait_mean_s\": %.5g, \"sojourn_mean_s\": %.5g, \"attempt_timeouts\": %lld, \"opened\": %lld}",
               s ? ", " : "", s, (long long)r->arrivals, (long long)r->completed,
               (double)r->busy.total / (double)end / (double)workers, (double)r->queue.total / (double)end,
               duration_mean(&r->wait), duration_mean(&r->sojourn), (long long)edges[s].attempt_outcomes[TIMEOUT],
               (long long)edges[s].opened);
    }
    printf("}");
#endif
    printf("}\n");
    return 0;
}
