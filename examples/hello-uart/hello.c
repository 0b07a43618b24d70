// A bare-metal program for the Versatile PB: serial port, timer and interrupt controller, nothing else.
// Prints a banner, counts seconds on one line, and shows what is typed.  q leaves by resetting the board.
#include <stdint.h>

static volatile uint32_t* reg(uint32_t device, uint32_t offset) { return (volatile uint32_t*)(device + offset); }

// The board (DUI 0224I table 4-1) ...
enum { SYSREG = 0x10000000, VIC = 0x10140000, TIMER0 = 0x101e2000, UART0 = 0x101f1000 };
enum { TIMER0_LINE = 4, UART0_LINE = 12 };
// ... and the registers used, with the manuals' names.
enum { SYS_ID = 0x00, SYS_LOCK = 0x20, SYS_RESETCTL = 0x40 };           // DUI 0224I
enum { VICIRQSTATUS = 0x00, VICINTENABLE = 0x10 };                      // DDI 0181
enum { TimerLoad = 0x00, TimerControl = 0x08, TimerIntClr = 0x0c };     // DDI 0271
enum { UARTDR = 0x00, UARTFR = 0x18, UARTCR = 0x30, UARTIMSC = 0x38 };  // DDI 0183
enum { UARTFR_RXFE = 1 << 4, UARTFR_TXFF = 1 << 5, UARTIMSC_RX = 1 << 4 };

static volatile uint32_t seconds;  // counted by the timer's interrupt
static volatile char typed[64];    // filled by the serial port's interrupt
static volatile uint32_t length;

static void put(char c) {
  while (*reg(UART0, UARTFR) & UARTFR_TXFF) {}
  *reg(UART0, UARTDR) = (uint8_t)c;
}
static void print(const volatile char* text) {
  while (*text) put(*text++);
}
static void print_hex(uint32_t v) {
  for (int shift = 28; shift >= 0; shift -= 4) put("0123456789abcdef"[v >> shift & 15]);
}
// Right-aligned in four columns; 9999 is followed by 0.
static void print_seconds(uint32_t v) {
  static const uint32_t powers[] = {1000, 100, 10, 1};
  int seen = 0;
  while (v >= 10000) v -= 10000;
  for (int i = 0; i < 4; ++i) {
    char digit = '0';
    for (; v >= powers[i]; v -= powers[i]) ++digit;
    seen |= digit != '0' || i == 3;
    put(seen ? digit : ' ');
  }
}

void wait_for_interrupt(void);
static void interrupts_off(void) { __asm__ volatile("msr cpsr_c, #0xd3" ::: "memory"); }
static void interrupts_on(void) { __asm__ volatile("msr cpsr_c, #0x53" ::: "memory"); }

// Called with interrupts off, from on_irq.
void interrupt(void) {
  const uint32_t lines = *reg(VIC, VICIRQSTATUS);
  if (lines & 1 << TIMER0_LINE) {
    *reg(TIMER0, TimerIntClr) = 1;
    ++seconds;
  }
  if (lines & 1 << UART0_LINE)
    while (!(*reg(UART0, UARTFR) & UARTFR_RXFE)) {
      const char c = (char)*reg(UART0, UARTDR);
      if (length < sizeof typed - 1) typed[length++] = c;
    }
}

static void leave(void) {
  print("\r\nBye\r\n");
  *reg(SYSREG, SYS_LOCK) = 0xa05f;
  *reg(SYSREG, SYS_RESETCTL) = 0x106;
  for (;;) {}
}

int main(void) {
  uint32_t processor;
  __asm__("mrc p15, 0, %0, c0, c0, 0" : "=r"(processor));
  print("\r\nHello from the Versatile PB\r\nprocessor ");
  print_hex(processor);
  print(", board ");
  print_hex(*reg(SYSREG, SYS_ID));
  print("\r\nType something; q ends.\r\n");

  *reg(UART0, UARTCR) = 0x301;  // on, both directions; no FIFO: an interrupt per character
  *reg(UART0, UARTIMSC) = UARTIMSC_RX;
  *reg(TIMER0, TimerLoad) = 1000000;  // of the 1 MHz clock
  *reg(TIMER0, TimerControl) = 0xe2;  // on, periodic, interrupt, 32 bits
  *reg(VIC, VICINTENABLE) = 1 << TIMER0_LINE | 1 << UART0_LINE;

  uint32_t shown = 0;
  for (uint32_t second = ~0u;;) {
    // Interrupts are off from the question to the sleep, so none can slip in between; a waiting one ends the sleep.
    interrupts_off();
    if (second == seconds && shown == length) wait_for_interrupt();
    interrupts_on();

    for (; shown < length; ++shown)
      if (typed[shown] == 'q') leave();
    second = seconds;
    print("\r[");
    print_seconds(second);
    print(" s] ");
    for (uint32_t i = 0; i < shown; ++i)
      if (typed[i] >= ' ') put(typed[i]);
    if (!shown || (typed[shown - 1] != '\r' && typed[shown - 1] != '\n' && shown < sizeof typed - 1)) continue;
    print("\r\n");
    interrupts_off();
    for (uint32_t i = shown; i < length; ++i) typed[i - shown] = typed[i];
    length -= shown;
    shown = 0;
    interrupts_on();
  }
}
