#include "CLintelKernels.h"
#include <string.h>

// Each of the low 32 bits' digits in a byte of its own, the highest in the first byte.
static inline uint64_t spread_digits(uint64_t half) {
  uint64_t x = (half << 16 | half) & 0x0000FFFF0000FFFF;
  x = (x << 8 | x) & 0x00FF00FF00FF00FF;
  x = (x << 4 | x) & 0x0F0F0F0F0F0F0F0F;
  return __builtin_bswap64(x);
}

// From digits to characters; `letter` is what lies between '9' and the character for ten.
static inline uint64_t digit_characters(uint64_t digits, uint64_t letter) {
  uint64_t above = (digits + 0x0606060606060606) >> 4 & 0x0101010101010101;
  return digits + 0x3030303030303030 + above * letter;
}

// Writes 16 bytes, of which the first `digits` count.
static inline void write_hex(uint64_t number, unsigned digits, uint64_t letter, uint8_t *out) {
  uint64_t aligned = number << (64 - 4 * digits);
  uint64_t high = digit_characters(spread_digits(aligned >> 32), letter);
  uint64_t low = digit_characters(spread_digits(aligned & 0xFFFFFFFF), letter);
  memcpy(out, &high, 8);
  memcpy(out + 8, &low, 8);
}

static const uint64_t powers[19] = {
  1, 10, 100, 1000, 10000, 100000, 1000000, 10000000, 100000000, 1000000000, 10000000000, 100000000000, 1000000000000,
  10000000000000, 100000000000000, 1000000000000000, 10000000000000000, 100000000000000000, 1000000000000000000};

static inline unsigned decimal_digits(uint64_t number) {
  unsigned bits = 64 - (unsigned)__builtin_clzll(number | 1);
  unsigned guess = bits * 1233 >> 12;
  return guess + (number >= powers[guess]) + (number == 0);
}

// The eight digits of a number below 10^8 as characters, the highest in the first byte.
static inline uint64_t eight_digits(uint32_t number) {
  uint64_t v = number / 10000 | (uint64_t)(number % 10000) << 32;
  uint64_t hundreds = v * 10486 >> 20 & 0x0000007F0000007F;
  v = hundreds | (v - hundreds * 100) << 16;
  uint64_t tens = v * 103 >> 10 & 0x000F000F000F000F;
  return (tens | (v - tens * 10) << 8) + 0x3030303030303030;
}

// Writes eight bytes, of which the first `digits` (1 to 8) count.
static inline uint8_t *write_digits(uint32_t number, unsigned digits, uint8_t *out) {
  uint64_t characters = eight_digits(number) >> (64 - 8 * digits);
  memcpy(out, &characters, 8);
  return out + digits;
}

static inline void write_decimal(uint64_t number, unsigned digits, uint8_t *out) {
  if (digits > 16) {
    out = write_digits((uint32_t)(number / 10000000000000000), digits - 16, out);
    number %= 10000000000000000;
    digits = 16;
  }
  if (digits > 8) {
    out = write_digits((uint32_t)(number / 100000000), digits - 8, out);
    number %= 100000000;
    digits = 8;
  }
  write_digits((uint32_t)number, digits, out);
}

int lintel_decimal_lengths(const int64_t *numbers, size_t count, uint32_t *lengths) {
  for (size_t i = 0; i < count; i++) {
    if ((uint64_t)numbers[i] >= powers[18]) return -1;
    lengths[i] += decimal_digits((uint64_t)numbers[i]);
  }
  return 0;
}

static inline uint8_t *write_row(const lintel_template *template, size_t row, uint8_t *out) {
  for (size_t i = 0; i < template->count; i++) {
    const lintel_piece *piece = template->pieces + i;
    switch (piece->kind) {
      case LINTEL_PIECE_LITERAL:
        for (uint32_t done = 0; done < piece->length; done += 16) memcpy(out + done, piece->literal + done, 16);
        out += piece->length;
        break;
      case LINTEL_PIECE_LOWER_HEX:
        write_hex((uint64_t)piece->numbers[row], piece->length, 'a' - '9' - 1, out);
        out += piece->length;
        break;
      case LINTEL_PIECE_UPPER_HEX:
        write_hex((uint64_t)piece->numbers[row], piece->length, 'A' - '9' - 1, out);
        out += piece->length;
        break;
      case LINTEL_PIECE_DECIMAL: {
        unsigned digits = decimal_digits((uint64_t)piece->numbers[row]);
        write_decimal((uint64_t)piece->numbers[row], digits, out);
        out += digits;
        break;
      }
      default:
        write_decimal((uint64_t)piece->numbers[row], piece->length, out);
        out += piece->length;
    }
  }
  return out;
}

void lintel_write_templates(
  lintel_template *templates, const uint32_t *which, size_t count, const uint8_t *exceptions, const uint32_t *lengths,
  uint32_t template_count, uint8_t *out) {
  if (template_count == 1 && which == NULL) {
    for (size_t row = 0; row < count; row++) out = write_row(templates, row, out);
    return;
  }
  for (size_t row = 0; row < count; row++) {
    uint32_t number = which[row];
    if (number < template_count) {
      out = write_row(templates + number, templates[number].rows++, out);
    } else {
      memcpy(out, exceptions, lengths[row]);
      exceptions += lengths[row];
      out += lengths[row];
    }
  }
}

// --------------------------------------------------------------------------------------------------------- encoding

// The number that eight characters stand for; those of other strings than digits give other characters back.
static inline uint64_t eight_values(uint64_t characters, uint64_t letter, int *is_wrong) {
  uint64_t is_letter = characters >> 6 & 0x0101010101010101;
  uint64_t digits = ((characters & 0x0F0F0F0F0F0F0F0F) + is_letter * 9) & 0x0F0F0F0F0F0F0F0F;
  *is_wrong |= digit_characters(digits, letter) != characters;
  uint64_t v = __builtin_bswap64(digits);
  v = (v | v >> 4) & 0x00FF00FF00FF00FF;
  v = (v | v >> 8) & 0x0000FFFF0000FFFF;
  return (v | v >> 16) & 0xFFFFFFFF;
}

static inline int read_hex(const uint8_t *string, unsigned digits, uint64_t letter, int64_t *number) {
  uint8_t characters[16];
  memset(characters, '0', 16);
  for (unsigned i = 0; i < digits; i++) characters[16 - digits + i] = string[i];
  uint64_t high, low;
  memcpy(&high, characters, 8);
  memcpy(&low, characters + 8, 8);
  int is_wrong = 0;
  uint64_t value = eight_values(high, letter, &is_wrong) << 32;
  value |= eight_values(low, letter, &is_wrong);
  *number = (int64_t)value;
  return !is_wrong;
}

// How many digits there are, at most 18.
static inline unsigned read_decimal(const uint8_t *string, size_t length, int64_t *number) {
  uint64_t value = 0;
  unsigned digits = 0;
  while (digits < length && digits < 18) {
    uint8_t digit = (uint8_t)(string[digits] - '0');
    if (digit > 9) break;
    value = value * 10 + digit;
    digits += 1;
  }
  *number = (int64_t)value;
  return digits;
}

int lintel_parse_string(const lintel_template *template, const uint8_t *string, size_t length) {
  size_t row = template->rows;
  for (size_t i = 0; i < template->count; i++) {
    const lintel_piece *piece = template->pieces + i;
    size_t used = piece->length;
    if (piece->kind == LINTEL_PIECE_DECIMAL) {
      used = read_decimal(string, length, piece->numbers + row);
      if (used == 0 || (used > 1 && string[0] == '0')) return 0;
    } else {
      if (used > length) return 0;
      switch (piece->kind) {
        case LINTEL_PIECE_LITERAL:
          if (memcmp(string, piece->literal, used) != 0) return 0;
          break;
        case LINTEL_PIECE_LOWER_HEX:
          if (!read_hex(string, (unsigned)used, 'a' - '9' - 1, piece->numbers + row)) return 0;
          break;
        case LINTEL_PIECE_UPPER_HEX:
          if (!read_hex(string, (unsigned)used, 'A' - '9' - 1, piece->numbers + row)) return 0;
          break;
        default:
          if (read_decimal(string, used, piece->numbers + row) != used) return 0;
      }
    }
    string += used;
    length -= used;
  }
  return length == 0;
}

void lintel_parse_strings(
  lintel_template *templates, uint32_t template_count, const uint8_t *bytes, const uint32_t *lengths, size_t count,
  int64_t *which) {
  uint32_t last = 0;
  for (size_t row = 0; row < count; row++) {
    uint32_t number = last;
    if (!lintel_parse_string(templates + number, bytes, lengths[row])) {
      number = 0;
      while (number < template_count && !lintel_parse_string(templates + number, bytes, lengths[row])) number += 1;
    }
    which[row] = number;
    if (number < template_count) {
      templates[number].rows += 1;
      last = number;
    }
    bytes += lengths[row];
  }
}
