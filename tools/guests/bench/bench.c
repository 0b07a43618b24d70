/* Guest benchmark / self-check programs: the same C source for every architecture.
     bench list                names of all tests
     bench run NAME [PCT]      runs one test at PCT % of its work
     bench time NAME CMD ARGS  times an external command
   Each prints, with the guest's own clock:
     BENCH-BEGIN <name>
     BENCH <name> <seconds>
     CHECK <name> <hex>        (tests with a result; the same on every IEEE machine) */
#define _GNU_SOURCE
#include "bench.h"
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static const char* self;
static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec * 1e-9;
}
uint64_t fnv(const void* p, size_t n, uint64_t h) {
  const unsigned char* c = p;
  while (n--) h = (h ^ *c++) * 0x100000001b3ull;
  return h;
}
uint64_t fnv_be64(uint64_t v, uint64_t h) {
  for (int i = 56; i >= 0; i -= 8) h = (h ^ ((v >> i) & 255)) * 0x100000001b3ull;
  return h;
}
static void die(const char* m) {
  fprintf(stderr, "bench: %s: %s\n", m, strerror(errno));
  exit(1);
}

/* ---- integer ---- */
static uint64_t t_sieve(int pct) {
  enum { N = 1000000 };
  unsigned char* f = malloc(N);
  uint32_t count = 0;
  for (long r = 0, n = scaled(32, pct); r < n; r++) {
    memset(f, 1, N);
    count = 0;
    for (int i = 2; i < N; i++)
      if (f[i]) {
        count++;
        for (long j = 2L * i; j < N; j += i) f[j] = 0;
      }
  }
  free(f);
  return count;
}
static void qs(uint32_t* a, long lo, long hi) {
  while (lo < hi) {
    uint32_t p = a[(lo + hi) / 2];
    long i = lo, j = hi;
    while (i <= j) {
      while (a[i] < p) i++;
      while (a[j] > p) j--;
      if (i <= j) {
        uint32_t t = a[i];
        a[i++] = a[j];
        a[j--] = t;
      }
    }
    if (j - lo < hi - i) {
      qs(a, lo, j);
      lo = i;
    } else {
      qs(a, i, hi);
      hi = j;
    }
  }
}
static uint64_t t_qsort(int pct) {
  long n = scaled(1500000, pct);
  uint32_t *a = malloc(n * 4), s = 42;
  uint64_t h = FNV0;
  for (long i = 0; i < n; i++) a[i] = lcg(&s);
  qs(a, 0, n - 1);
  for (long i = 0; i < n; i += 97) h = fnv_be64(a[i], h);
  free(a);
  return h;
}
static uint64_t t_crc32(int pct) {
  static uint32_t tab[256];
  enum { N = 262144 };
  static unsigned char buf[N];
  uint32_t s = 3, c = ~0u;
  for (uint32_t i = 0; i < 256; i++) {
    uint32_t k = i;
    for (int j = 0; j < 8; j++) k = k & 1 ? k >> 1 ^ 0xedb88320u : k >> 1;
    tab[i] = k;
  }
  for (int i = 0; i < N; i++) buf[i] = lcg(&s) >> 24;
  for (long r = 0, n = scaled(320, pct); r < n; r++)
    for (int i = 0; i < N; i++) c = tab[(c ^ buf[i]) & 255] ^ c >> 8;
  return (uint32_t)~c;
}
static uint64_t t_div64(int pct) {
  uint64_t x = 0x9e3779b97f4a7c15ull, h = 0;
  uint32_t s = 5;
  for (long r = 0, n = scaled(3000000, pct); r < n; r++) {
    uint64_t d = ((uint64_t)lcg(&s) << 12 | 0x801);
    x = x * 6364136223846793005ull + 1442695040888963407ull;
    h += x / d;
    h ^= x % d;
    h += (uint64_t)((int64_t)h / (int32_t)(s | 3));
  }
  return h;
}
static uint64_t t_bitops(int pct) {
  uint32_t s = 9, a = 0;
  uint64_t h = 0;
  for (long r = 0, n = scaled(24000000, pct); r < n; r++) {
    uint32_t v = lcg(&s);
    a += __builtin_popcount(v) + __builtin_clz(v | 1) * 3 + __builtin_ctz(v | 0x80000000u);
    a = (a << 7 | a >> 25) ^ __builtin_bswap32(v);
    h += (uint64_t)a * v;
  }
  return h;
}
/* a Dhrystone-like mix: records, strings, calls through pointers, switches */
struct rec {
  struct rec* next;
  int kind, val;
  char name[31];
};
static __attribute__((noinline)) int op0(struct rec* r, int v) { return r->val + v; }
static __attribute__((noinline)) int op1(struct rec* r, int v) { return r->val ^ v; }
static __attribute__((noinline)) int op2(struct rec* r, int v) { return (r->val * 5 + v) / 3; }
static int (*volatile ops[3])(struct rec*, int) = {op0, op1, op2};
static __attribute__((noinline)) int pick(const char* a, const char* b, int* o) {
  int i = strcmp(a, b);
  if (i > 0) {
    *o += 7;
    return 1;
  }
  *o -= 3;
  return i == 0 ? 2 : 0;
}
static uint64_t t_dhry(int pct) {
  static struct rec r[2];
  int acc = 1, o = 0;
  uint64_t h = 0;
  r[0].next = &r[1];
  r[1].next = &r[0];
  r[0].val = 1;
  r[1].val = 2;
  strcpy(r[0].name, "DHRYSTONE PROGRAM, SOME STRING");
  strcpy(r[1].name, "DHRYSTONE PROGRAM, 2'ND STRIN");
  struct rec* p = r;
  char t[31];
  for (long i = 0, n = scaled(1000000, pct); i < n; i++) {
    strcpy(t, p->name);
    t[19] = (char)('A' + (i % 26));
    switch (pick(t, p->next->name, &o)) {
      case 0: acc += 3; break;
      case 1: acc ^= (int)i; break;
      default: acc = -acc;
    }
    p->val = ops[i % 3](p, acc & 0xffff) & 0xffffff;
    struct rec c = *p;
    c.kind = (int)i & 3;
    *p->next = (struct rec){p->next->next, c.kind, c.val + 1, ""};
    memcpy(p->next->name, c.name, 31);
    p->next->name[20] = (char)('a' + (i & 15));
    p = p->next;
    h = h * 31 + (uint32_t)(acc + o + p->val);
  }
  return h;
}
static uint64_t t_strops(int pct) {
  enum { N = 65536 };
  static char a[N], b[N];
  uint32_t s = 11;
  uint64_t h = 0;
  for (int i = 0; i < N - 1; i++) a[i] = (char)('a' + (lcg(&s) >> 16) % 26);
  for (long r = 0, n = scaled(1000, pct); r < n; r++) {
    strcpy(b, a);
    b[(r * 37) % (N - 2)] = 'Z';
    h += strlen(b) + (strchr(b, 'Z') - b);
    h += (uint64_t)(memcmp(a, b, N) != 0);
    memmove(b + 13, b, N - 14);
    h ^= (uint64_t)(strstr(b, "zyxwv") ? 1 : 2);
    h += (uint64_t)(strrchr(b, 'q') - b);
  }
  return h;
}
/* a little bytecode interpreter: indirect jumps */
static uint64_t t_interp(int pct) {
  static const unsigned char prog[] = {0, 1, 4, 2, 3, 5, 1, 0, 4, 6, 2, 5, 3, 1, 0, 7};
  uint32_t a = 1, b = 2, c = 3;
  uint64_t n = scaled(3000000, pct), it = 0;
  unsigned pc = 0;
  for (;;) switch (prog[pc++]) {
      case 0: a += b; break;
      case 1: b ^= a << 3; break;
      case 2: c = c * 69069 + 1; break;
      case 3: a = a >> 1 | a << 31; break;
      case 4:
        if (c & 4) a ^= c;
        break;
      case 5: b += c >> 5; break;
      case 6: c -= a; break;
      case 7:
        pc = 0;
        if (++it == n) return (uint64_t)a << 32 ^ (uint64_t)b << 13 ^ c;
        break;
    }
}
/* ---- memory ---- */
static uint64_t t_memcpy(int pct) {
  size_t n = 4 << 20;
  char *a = malloc(n), *b = malloc(n);
  memset(a, 1, n);
  for (long r = 0, k = scaled(400, pct); r < k; r++) {
    a[r] = (char)r;
    memcpy(b, a, n);
  }
  uint64_t h = fnv(b, 4096, FNV0);
  free(a);
  free(b);
  return h;
}
static uint64_t t_memset(int pct) {
  size_t n = 4 << 20;
  char* a = malloc(n);
  for (long r = 0, k = scaled(300, pct); r < k; r++) memset(a, (int)r, n);
  uint64_t h = fnv(a, 4096, FNV0);
  free(a);
  return h;
}
static uint64_t t_stream(int pct) { /* triad on 32-bit integers */
  size_t n = 1 << 20;
  uint32_t *a = malloc(n * 4), *b = malloc(n * 4), *c = malloc(n * 4);
  for (size_t i = 0; i < n; i++) {
    b[i] = (uint32_t)i;
    c[i] = (uint32_t)(i * 7);
  }
  for (long r = 0, k = scaled(120, pct); r < k; r++) {
    for (size_t i = 0; i < n; i++) a[i] = b[i] + 3 * c[i];
    uint32_t* t = b;
    b = a;
    a = t;
  }
  uint64_t h = FNV0;
  for (size_t i = 0; i < n; i += 4099) h = fnv_be64(b[i], h);
  free(a);
  free(b);
  free(c);
  return h;
}
static uint64_t t_ptrchase(int pct) { /* random walk over 8 MB: TLB misses */
  uint32_t n = 1 << 21, s = 1, *a = malloc((size_t)n * 4), p = 0;
  for (uint32_t i = 0; i < n; i++) a[i] = i;
  for (uint32_t i = n - 1; i > 0; i--) {
    uint32_t j = (uint32_t)(((uint64_t)lcg(&s) * i) >> 32), t = a[i];
    a[i] = a[j];
    a[j] = t;
  }
  for (long r = 0, k = scaled(6000000, pct); r < k; r++) p = a[p];
  free(a);
  return p;
}
/* ---- kernel ---- */
static uint64_t t_syscall(int pct) {
  long k = scaled(1500000, pct);
  long v = 0;
  for (long r = 0; r < k; r++) v |= syscall(SYS_getppid);
  return v > 0;
}
static uint64_t t_fork(int pct) {
  uint64_t n = 0;
  for (long r = 0, k = scaled(1200, pct); r < k; r++) {
    pid_t p = fork();
    if (p < 0) die("fork");
    if (!p) _exit(7);
    int st;
    if (waitpid(p, &st, 0) != p || WEXITSTATUS(st) != 7) die("wait");
    n++;
  }
  return n;
}
static uint64_t t_forkexec(int pct) {
  uint64_t n = 0;
  for (long r = 0, k = scaled(400, pct); r < k; r++) {
    pid_t p = fork();
    if (p < 0) die("fork");
    if (!p) {
      execl(self, self, "nop", (char*)0);
      _exit(1);
    }
    int st;
    if (waitpid(p, &st, 0) != p || WEXITSTATUS(st) != 9) die("exec");
    n++;
  }
  return n;
}
static uint64_t t_pipe(int pct) { /* context switches */
  int a[2], b[2];
  char c = 1;
  if (pipe(a) || pipe(b)) die("pipe");
  long k = scaled(20000, pct);
  pid_t p = fork();
  if (p < 0) die("fork");
  if (!p) {
    for (;;) {
      if (read(a[0], &c, 1) != 1) _exit(1);
      c++;
      if (write(b[1], &c, 1) != 1) _exit(1);
      if (!c && 0) break;
    }
  }
  for (long r = 0; r < k; r++) {
    if (write(a[1], &c, 1) != 1 || read(b[0], &c, 1) != 1) die("pipe io");
  }
  kill(p, SIGKILL);
  waitpid(p, 0, 0);
  close(a[0]);
  close(a[1]);
  close(b[0]);
  close(b[1]);
  return (unsigned char)c;
}
static uint64_t t_mmap(int pct) { /* page faults */
  size_t n = 2 << 20, pg = (size_t)sysconf(_SC_PAGESIZE);
  uint64_t t = 0;
  for (long r = 0, k = scaled(120, pct); r < k; r++) {
    char* p = mmap(0, n, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) die("mmap");
    for (size_t i = 0; i < n; i += pg) {
      p[i] = 1;
    }
    t += p[n - pg];
    munmap(p, n);
  }
  return t;
}
static volatile sig_atomic_t sigs;
static void on_sig(int s) {
  (void)s;
  sigs++;
}
static uint64_t t_signal(int pct) {
  struct sigaction sa = {0};
  sa.sa_handler = on_sig;
  sigaction(SIGUSR1, &sa, 0);
  sigs = 0;
  for (long r = 0, k = scaled(50000, pct); r < k; r++) raise(SIGUSR1);
  return (uint64_t)sigs;
}
static char* volatile segv_page;
static size_t segv_len;
static void on_segv(int s, siginfo_t* i, void* u) {
  (void)s;
  (void)i;
  (void)u;
  sigs++;
  if (mprotect((void*)segv_page, segv_len, PROT_READ | PROT_WRITE)) _exit(2);
}
static uint64_t t_segv(int pct) { /* protection faults handled in user mode */
  struct sigaction sa = {0};
  sa.sa_sigaction = on_segv;
  sa.sa_flags = SA_SIGINFO;
  sigaction(SIGSEGV, &sa, 0);
  sigs = 0;
  segv_len = (size_t)sysconf(_SC_PAGESIZE);
  segv_page = mmap(0, segv_len, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  for (long r = 0, k = scaled(15000, pct); r < k; r++) {
    *(volatile char*)segv_page = (char)r;
    mprotect((void*)segv_page, segv_len, PROT_READ);
  }
  signal(SIGSEGV, SIG_DFL);
  return (uint64_t)sigs;
}
/* code written, called, patched, called again */
static uint64_t t_smc(int pct) {
  uint32_t* p = mmap(0, 8192, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  uint64_t h = FNV0;
  if (p == MAP_FAILED) die("mmap exec");
  for (long r = 0, k = scaled(100000, pct); r < k; r++) {
    uint32_t imm = (uint32_t)r & 0xff, *q = p + (r % 4) * 64;
#if defined(__x86_64__) || defined(__i386__)
    unsigned char* c = (unsigned char*)q;
    c[0] = 0xb8;
    c[1] = (unsigned char)imm;
    c[2] = c[3] = c[4] = 0;
    c[5] = 0xc3;
#elif defined(__arm__)
    q[0] = 0xe3a00000u | imm;
    q[1] = 0xe12fff1eu;
#elif defined(__aarch64__)
    q[0] = 0x52800000u | imm << 5;
    q[1] = 0xd65f03c0u;
#elif defined(__mips__)
    q[0] = 0x03e00008u;
    q[1] = 0x24020000u | imm;
#elif defined(__powerpc__)
    q[0] = 0x38600000u | imm;
    q[1] = 0x4e800020u;
#elif defined(__sparc__)
    q[0] = 0x81c3e008u;
    q[1] = 0x90102000u | imm;
#endif
    __builtin___clear_cache((char*)q, (char*)q + 8);
    int (*f)(void) = (int (*)(void))(uintptr_t)q;
    h = (h ^ (uint64_t)(uint32_t)f()) * 0x100000001b3ull;
  }
  munmap(p, 8192);
  return h;
}

#define FP(s) uint64_t t_nbody##s(int), t_mandel##s(int), t_matmul##s(int), t_fir32##s(int);
FP()
#ifdef HAVE_VFP
FP(_vfp)
#endif
static const struct test tests[] = {{"sieve", t_sieve},
                                    {"qsort", t_qsort},
                                    {"crc32", t_crc32},
                                    {"div64", t_div64},
                                    {"bitops", t_bitops},
                                    {"dhry", t_dhry},
                                    {"strops", t_strops},
                                    {"interp", t_interp},
                                    {"nbody", t_nbody},
                                    {"mandel", t_mandel},
                                    {"matmul", t_matmul},
                                    {"fir32", t_fir32},
#ifdef HAVE_VFP
                                    {"nbody_vfp", t_nbody_vfp},
                                    {"mandel_vfp", t_mandel_vfp},
                                    {"matmul_vfp", t_matmul_vfp},
                                    {"fir32_vfp", t_fir32_vfp},
#endif
                                    {"memcpy", t_memcpy},
                                    {"memset", t_memset},
                                    {"stream", t_stream},
                                    {"ptrchase", t_ptrchase},
                                    {"syscall", t_syscall},
                                    {"fork", t_fork},
                                    {"forkexec", t_forkexec},
                                    {"pipe", t_pipe},
                                    {"mmap", t_mmap},
                                    {"signal", t_signal},
                                    {"segv", t_segv},
                                    {"smc", t_smc}};
enum { NT = sizeof tests / sizeof tests[0] };

int main(int argc, char** argv) {
  self = argv[0];
  if (argc > 1 && !strcmp(argv[1], "nop")) return 9;
  if (argc > 1 && !strcmp(argv[1], "list")) {
    for (int i = 0; i < NT; i++) puts(tests[i].name);
    return 0;
  }
  if (argc > 3 && !strcmp(argv[1], "time")) {
    printf("BENCH-BEGIN %s\n", argv[2]);
    fflush(stdout);
    double t = now();
    pid_t p = fork();
    if (p < 0) die("fork");
    if (!p) { /* not execvp: glibc's returns ENAMETOOLONG in a static sparc64 program */
      char path[256];
      snprintf(path, sizeof path, "%s%s", strchr(argv[3], '/') ? "" : "/bin/", argv[3]);
      execv(path, argv + 3);
      die(path);
    }
    int st;
    waitpid(p, &st, 0);
    t = now() - t;
    printf("BENCH %s %.3f\n", argv[2], t);
    return WIFEXITED(st) ? WEXITSTATUS(st) : 1;
  }
  if (argc > 2 && !strcmp(argv[1], "run")) {
    int pct = argc > 3 ? atoi(argv[3]) : 100, found = 0;
    for (int i = 0; i < NT; i++)
      if (!strcmp(argv[2], "all") || !strcmp(argv[2], tests[i].name)) {
        found = 1;
        printf("BENCH-BEGIN %s\n", tests[i].name);
        fflush(stdout);
        double t = now();
        uint64_t v = tests[i].fn(pct);
        t = now() - t;
        printf("BENCH %s %.3f\nCHECK %s %016llx\n", tests[i].name, t, tests[i].name, (unsigned long long)v);
        fflush(stdout);
      }
    if (found) return 0;
  }
  fprintf(stderr, "usage: bench list | run NAME|all [PCT] | time NAME CMD...\n");
  return 2;
}
