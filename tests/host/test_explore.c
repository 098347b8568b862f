/*
 * The explorer's reading (tools/explore), of a machine that was made up: damaged
 * snapshots, and memory that changes while it is read.
 */
/* sources: tools/explore/snapshot.c tools/explore/history.c tools/explore/layout.c tools/explore/dwarf.c tools/explore/source.c tools/explore/memory.c tools/explore/walk.c tools/explore/model.c tools/explore/spaces.c tools/explore/frames.c tools/explore/events.c tools/explore/json.c tools/explore/machine.c tools/explore/arch/riscv.c tools/explore/arch/x86.c */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "../fuzz/fuzz_explore.c"

#define INPUTS 1500
#define INPUT_MAX 200
#define SEEN_ENOUGH 20
#define PTE_W 0x04ULL
#define PAUSE 2000 /* steps between two changes: most of the time all fits */

static void small_machine_is_shown(void **state) {
  struct source *s = source_kept(SMALL_START, SMALL_BYTES);
  struct trouble why;
  struct layout *l =
      layout_read_text(small_layout, sizeof(small_layout) - 1, &why);
  struct memory *m = memory_create(s, l);
  static unsigned char ram[SMALL_BYTES];
  const struct space_view *v;
  struct model *model;

  (void)state;
  small_make(ram);
  /* of two pages that are alike else, the second is without W */
  for (int p = 0; p < SMALL_PROCS; p++)
    small_put8(ram, SMALL_PAGE(8 + 4 * p) + 0x2018,
               SMALL_PTE(SMALL_PAGE(21), SMALL_LEAF & ~PTE_W));
  for (int i = 0; i < SMALL_PAGES; i++)
    assert_int_equal(source_keep(s, SMALL_PAGE(i), ram + i * 4096), 0);
  model = model_take(m, 1);
  assert_int_equal(model->nspaces, 1 + SMALL_PROCS);
  for (int pid = 1; pid <= SMALL_PROCS; pid++) {
    v = model_space(model, pid);
    assert_non_null(v);
    assert_true(v->consistent);
    assert_int_equal(v->nregions, 2);
    assert_int_equal(v->regions[1].end, 0x4000);
    assert_int_equal(v->regions[1].runs[0].pa, SMALL_PAGE(20));
    assert_int_equal(v->regions[1].nruns, 2);
    assert_int_equal(v->regions[1].runs[1].kind, v->regions[1].runs[0].kind);
    assert_int_equal(v->regions[1].runs[0].flags & RUN_WRITABLE, RUN_WRITABLE);
    assert_int_equal(v->regions[1].runs[1].flags & RUN_WRITABLE, 0);
  }
  /* the oldest may be the one that is being written */
  assert_int_equal(model->nevents, SMALL_RECORDS - 1);
  model_free(model);
  memory_free(m);
  source_close(s);
  layout_free(l);
}

/* What libFuzzer does at length (make fuzz-host), with inputs that are always the
 * same. */
static void damaged_ones_are_shown_or_refused(void **state) {
  unsigned char input[INPUT_MAX];

  (void)state;
  for (unsigned seed = 0; seed < INPUTS; seed++) {
    uint64_t x = seed;
    size_t n;

    for (size_t i = 0; i < sizeof(input); i++) {
      x = x * 6364136223846793005ULL + 1442695040888963407ULL;
      input[i] = x >> 56;
    }
    input[0] = seed;
    n = 1 + (x >> 40) % (sizeof(input) - 1);
    LLVMFuzzerTestOneInput(input, n);
  }
}

/* --- samples --- */

static void add_sample(struct history *h, int number) {
  json_t *state = json_pack("{s:{s:i}, s:{s:i}, s:s}", "owners", "free", number,
                            "counters", "forks", 2 * number, "why", "");

  history_add(h, number, state);
  json_decref(state);
}

/* Those of states behind `had`, to and without `to`, and no others. */
static void check_between(const struct history *h, int had, int to) {
  json_t *all = history_between(h, had);
  int from = to - (int)json_array_size(all);

  assert_int_equal(from, MIN(to, had + 1 < to - 240 ? to - 240 : had + 1));
  for (int i = from; i < to; i++) {
    json_t *sample = json_array_get(all, i - from), *counters;

    assert_int_equal(json_object_size(sample), 2);
    assert_int_equal(json_integer_value(json_object_get(sample, "free")), i);
    counters = json_object_get(sample, "counters");
    assert_int_equal(json_integer_value(json_object_get(counters, "forks")),
                     2 * i);
  }
  json_decref(all);
}

/* A reader gets what he has not had, and the file all, of which it is the same. */
static void samples_are_kept(void **state) {
  struct history *h = history_create(), *again;
  struct trouble why;
  json_t *counters;
  char *text;

  (void)state;
  assert_null(history_write(h));
  for (int i = 1; i <= 500; i++) {
    add_sample(h, i);
    check_between(h, 0, i);
    check_between(h, i - 1, i);
    check_between(h, i > 5 ? i - 5 : 0, i);
  }
  text = history_write(h);
  again = history_read(text, strlen(text), &why);
  assert_non_null(again);
  assert_int_equal(history_pop(again, &counters), 500);
  assert_int_equal(json_integer_value(json_object_get(counters, "forks")),
                   1000);
  add_sample(again, 500);
  check_between(again, 0, 500);
  /* what does not follow begins anew */
  add_sample(again, 502);
  check_between(again, 501, 502);
  json_decref(counters);
  history_free(again);
  history_free(h);
  free(text);
}

/* A file of version 1 has none. */
static void files_with_and_without_samples_open(void **state) {
  static unsigned char ram[SMALL_BYTES];
  static const char *const histories[] = {NULL, small_history};

  (void)state;
  small_make(ram);
  for (size_t i = 0; i < NELEM(histories); i++) {
    size_t size, n;
    unsigned char *content = content_of(
        ram, small_layout, sizeof(small_layout) - 1, histories[i], &size);
    unsigned char *file = pack(content, size, &n);
    struct snapshot k;
    struct trouble why;
    char *text;

    assert_int_equal(snapshot_open(file, n, &k, &why), 0);
    assert_int_equal(k.history != NULL, histories[i] != NULL);
    if (k.history != NULL) {
      text = history_write(k.history);
      assert_string_equal(text, small_history);
      free(text);
    }
    snapshot_close(&k);
    free(content);
    free(file);
  }
}

static void damaged_samples_are_refused(void **state) {
#define ONE "{\"free\":1,\"counters\":{\"forks\":1}}"
  static const char *const bad[] = {
      "",
      "[]",
      "{}",
      "{\"seq\":1,\"samples\":[]}",
      "{\"seq\":1,\"samples\":[" ONE "," ONE "]}",
      "{\"seq\":9007199254740993,\"samples\":[" ONE "]}",
      "{\"seq\":1.0,\"samples\":[" ONE "]}",
      "{\"seq\":1,\"samples\":[{\"free\":1}]}",
      "{\"seq\":1,\"samples\":[{\"free\":\"1\",\"counters\":{}}]}",
      "{\"seq\":1,\"samples\":[{\"free\":1,\"counters\":{\"forks\":null}}]}",
      "{\"seq\":1,\"samples\":[1]}",
      "{\"seq\":1,\"samples\":{\"a\":" ONE "}}",
      "{\"seq\":1,\"samples\":[" ONE "]"};
  static const char good[] = "{\"seq\":1,\"samples\":[" ONE "]}";
  struct history *h;

  (void)state;
  for (size_t i = 0; i < NELEM(bad); i++) {
    struct trouble why = {""};

    assert_null(history_read(bad[i], strlen(bad[i]), &why));
    assert_string_equal(why.text, "the snapshot's samples make no sense");
  }
  h = history_read(good, strlen(good), NULL);
  assert_non_null(h);
  history_free(h);
}

/* --- memory that changes while it is read --- */

/*
 * The writer moves both regions of process 1 by a page, again and again, and so
 * the table's root to another one and back. While it is at it the kernel's count of
 * regions does not fit, as it may be when the kernel inserts one. No place comes
 * twice, so that a reading which has one region from before and one from after is
 * known by it. It writes through one reading at least, then rests through one.
 */
struct writer {
  unsigned char *ram;
  unsigned readings; /* that were made */
  bool stop;
};

static void atomic_put8(unsigned char *ram, uint64_t pa, uint64_t value) {
  __atomic_store_n((uint64_t *)(ram + (pa - SMALL_START)), value,
                   __ATOMIC_SEQ_CST);
}

static void atomic_put4(unsigned char *ram, uint64_t pa, uint32_t value) {
  __atomic_store_n((uint32_t *)(ram + (pa - SMALL_START)), value,
                   __ATOMIC_SEQ_CST);
}

#define APART 0x40000000ULL /* between the two regions */

static void move_region(unsigned char *ram, int i, uint64_t start) {
  atomic_put8(ram, SMALL_REGION(0, i) + 0x10, start);
  atomic_put8(ram, SMALL_REGION(0, i) + 0x18, start + 0x1000);
}

static void flip(unsigned char *ram, uint64_t n) {
  uint64_t entry = SMALL_PAGE(8) + 8;

  atomic_put4(ram, SMALL_SPACE(0) + 0x18, 77);
  move_region(ram, 0, n * 0x1000);
  /* a table that is none: it lies nowhere, or is the root itself */
  atomic_put8(ram, entry, SMALL_PTE(n % 2 ? SMALL_PAGE(8) : 0x123456000ULL, 1));
  atomic_put8(ram, SMALL_REGION(0, 1), SMALL_REGION(1, 0)); /* astray */
  move_region(ram, 1, APART + n * 0x1000);
  atomic_put8(ram, SMALL_REGION(0, 1), SMALL_SPACE(0) + 8);
  atomic_put8(ram, entry, 0);
  atomic_put4(ram, SMALL_SPACE(0) + 0x18, 2);
}

static unsigned readings_of(struct writer *w) {
  return __atomic_load_n(&w->readings, __ATOMIC_SEQ_CST);
}

static void *write_for_ever(void *arg) {
  struct writer *w = arg;
  uint64_t n = 1;

  while (!__atomic_load_n(&w->stop, __ATOMIC_SEQ_CST)) {
    if (readings_of(w) / 2 % 2 == 0) {
      flip(w->ram, ++n % (APART / 0x1000 - 1));
      for (volatile int i = 0; i < PAUSE; i++) {
      }
    } else {
      sched_yield();
    }
  }
  return NULL;
}

/* A process as it was at one moment. */
static void check_moment(const struct space_view *v) {
  const struct region_view *found[2] = {NULL, NULL};

  for (size_t i = 0; i < v->nregions; i++) /* those of the kernel's list */
    if (v->regions[i].rights == (MAY_READ | MAY_WRITE | MAY_USER))
      found[v->regions[i].start >= APART] = &v->regions[i];
  assert_non_null(found[0]);
  assert_non_null(found[1]);
  assert_int_equal(found[0]->start + APART, found[1]->start);
  assert_int_equal(found[0]->start + 0x1000, found[0]->end);
  assert_int_equal(found[1]->start + 0x1000, found[1]->end);
}

/* Read until both have been seen: what stood still, and what did not. */
static void read_moving(struct source *s, const struct layout *l,
                        struct writer *w) {
  struct memory *m = memory_create(s, l);
  int whole = 0, torn = 0;

  while (whole < SEEN_ENOUGH || torn < SEEN_ENOUGH) {
    struct model *model = model_take(m, 1);
    const struct space_view *moving = model_space(model, 1);
    const struct space_view *still = model_space(model, 2);

    assert_non_null(moving);
    if (moving->consistent)
      check_moment(moving);
    moving->consistent ? whole++ : torn++;
    assert_non_null(still);
    assert_true(still->consistent);
    assert_int_equal(still->regions[1].end, 0x4000);
    json_decref(json_state(model, m));
    json_decref(json_spaces(model));
    model_free(model);
    __atomic_fetch_add(&w->readings, 1, __ATOMIC_SEQ_CST);
  }
  print_message("%d whole, %d marked\n", whole, torn);
  memory_free(m);
}

static void moving_memory_is_read_whole_or_marked(void **state) {
  int fd = memfd_create("ram", 0);
  char path[64];
  struct trouble why;
  struct layout *l =
      layout_read_text(small_layout, sizeof(small_layout) - 1, &why);
  struct writer w = {.stop = false};
  struct source *s;
  pthread_t thread;

  (void)state;
  assert_int_equal(ftruncate(fd, SMALL_BYTES), 0);
  w.ram = mmap(NULL, SMALL_BYTES, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
  assert_true(w.ram != MAP_FAILED);
  small_make(w.ram);
  flip(w.ram, 1);
  snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
  s = source_open_ram(path, SMALL_START, &why);
  assert_non_null(s);
  assert_int_equal(pthread_create(&thread, NULL, write_for_ever, &w), 0);
  read_moving(s, l, &w);
  __atomic_store_n(&w.stop, true, __ATOMIC_SEQ_CST);
  pthread_join(thread, NULL);
  source_close(s);
  layout_free(l);
  munmap(w.ram, SMALL_BYTES);
  close(fd);
}

/* Regions of a page each that begin at these pages; 0: no more. what: of all. */
static struct space_view space_of(struct region_view *regions,
                                  const uint64_t *pages, const char *what) {
  struct space_view s = {.pid = 3, .name = "sh", .regions = regions};

  for (; pages[s.nregions] != 0; s.nregions++) {
    struct region_view *r = &regions[s.nregions];

    *r = (struct region_view){.start = pages[s.nregions] * PAGE_BYTES,
                              .end = (pages[s.nregions] + 1) * PAGE_BYTES};
    snprintf(r->what, sizeof(r->what), "%s", what);
  }
  return s;
}

/* "12 +5 -1": regions with their page, n that follow, n that are left out. */
static void check_edit(const struct space_view *s, const struct space_view *had,
                       const char *wanted) {
  json_t *o = json_space(s, had), *each;
  char said[80] = "";
  size_t i;

  json_array_foreach(json_object_get(o, "regions"), i, each) {
    size_t n = strlen(said);
    const char *start = json_string_value(json_object_get(each, "start"));

    if (json_is_integer(each))
      snprintf(said + n, sizeof(said) - n, "%+d ",
               (int)json_integer_value(each));
    else
      snprintf(said + n, sizeof(said) - n, "%llu ",
               strtoull(start, NULL, 16) / PAGE_BYTES);
  }
  assert_string_equal(said, wanted);
  json_decref(o);
}

static void what_differs_alone_is_told(void **state) {
  const uint64_t some[] = {1, 2, 3, 5, 8, 0}, more[] = {2, 3, 4, 5, 7, 8, 9, 0};
  struct region_view a[8], b[8], c[8];
  struct space_view had = space_of(a, some, "heap"),
                    s = space_of(b, more, "heap");
  struct space_view others = space_of(c, some, "text");

  (void)state;
  check_edit(&s, NULL, "2 3 4 5 7 8 9 ");
  check_edit(&s, &had, "-1 +2 4 +1 7 +1 9 ");
  check_edit(&had, &s, "1 +2 -1 +1 -1 +1 ");
  check_edit(&had, &had, "+5 ");
  assert_true(space_same(&had, &had));
  assert_false(space_same(&had, &s));
  others.regions[1] = had.regions[1];
  check_edit(&others, &had, "1 -1 +1 3 -1 5 -1 8 ");
  assert_false(space_same(&had, &others));
}

int main(void) {
  const struct CMUnitTest tests[] = {
      cmocka_unit_test(small_machine_is_shown),
      cmocka_unit_test(damaged_ones_are_shown_or_refused),
      cmocka_unit_test(samples_are_kept),
      cmocka_unit_test(files_with_and_without_samples_open),
      cmocka_unit_test(damaged_samples_are_refused),
      cmocka_unit_test(moving_memory_is_read_whole_or_marked),
      cmocka_unit_test(what_differs_alone_is_told),
  };

  return cmocka_run_group_tests(tests, NULL, NULL);
}
