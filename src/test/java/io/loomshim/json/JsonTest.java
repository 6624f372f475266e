package io.loomshim.json;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigDecimal;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class JsonTest {
  @Test
  void everyKindOfValueIsRead() throws JsonException {
    Object value = Json.read(" {\"a\" : [1, -2.5e3, true, false, null, \"x\", {}, []] ,\n\t\"b\":{\"c\":\"d\"}}\r\n");
    var expected = new LinkedHashMap<String, Object>();
    expected.put("a", List.of(number("1"), number("-2.5e3"), true, false, Json.NULL, "x", Map.of(),
        List.of()));
    expected.put("b", Map.of("c", "d"));
    assertEquals(expected, value);
    assertSame(Json.NULL, Json.read("null"));
    assertEquals(number("18446744073709551615"), Json.read("18446744073709551615"));
  }

  private static JsonNumber number(String text) {
    return new JsonNumber(text);
  }

  @ParameterizedTest
  @ValueSource(strings = {"0", "-0", "-0.0", "1e5", "1E+5", "1.50", "2e-3", "9223372036854775807",
      "18446744073709551615", "1e512", "0.1e-511", "1e000000512"})
  void aNumberIsWrittenAsItWasRead(String text) throws JsonException {
    Object number = Json.read(text);
    assertEquals(text, Json.write(number));
    assertEquals(new BigDecimal(text), ((JsonNumber) number).value());
  }

  @Test
  void membersKeepTheirOrderAndTheLastOfEqualNamesCounts() throws JsonException {
    var object = Json.object(Json.read("{\"z\":1,\"a\":2,\"z\":3}")).orElseThrow();
    assertEquals(List.of("z", "a"), List.copyOf(object.keySet()));
    assertEquals(number("3"), object.get("z"));
  }

  @Test
  void escapesAndSurrogatesAreRead() throws JsonException {
    assertEquals("\"\\/\b\f\n\r\tA\u00e9", Json.read("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u0041\\u00E9\""));
    assertEquals("\uD83D\uDE00", Json.read("\"\\ud83d\\uDE00\""));
    assertEquals("\uD83D\uDE00", Json.read("\"\uD83D\uDE00\""));
    assertEquals("\uD83D\uDE00", Json.read("\"\uD83D\uDE00\"".getBytes(StandardCharsets.UTF_8)));
  }

  @ParameterizedTest
  @ValueSource(strings = {"\\ud83d", "\\ude00"})
  void halfOfASurrogatePairBecomesTheReplacementCharacter(String half) throws JsonException {
    assertEquals("\uFFFD", Json.read("\"" + half + "\""));
    assertEquals("a\uFFFDb", Json.read("\"a" + half + "b\""));
    assertEquals("\uFFFD\n", Json.read("\"" + half + "\\n\""));
    assertEquals("\uFFFD\uD83D\uDE00", Json.read("\"" + half + "\\ud83d\\ude00\""));
    assertEquals("\uFFFD", Json.read("\"" + half + "\""));
  }

  @ParameterizedTest
  @CsvSource(delimiter = '|', quoteCharacter = '`', value = {
      "`` | 0 | the text is empty",
      "` ` | 1 | the text is empty",
      "{ | 1 | the text ends too early",
      "{} x | 3 | unexpected 'x' after the value",
      "{}{} | 2 | unexpected '{' after the value",
      "[1,] | 3 | unexpected ']' where a value should stand",
      "[1 2] | 3 | unexpected '2' where ',' or ']' should stand",
      "{\"a\":1,} | 7 | unexpected '}' where a member's name should stand",
      "{\"a\" 1} | 5 | unexpected '1' where ':' should stand",
      "{\"a\":1;} | 6 | unexpected ';' where ',' or '}' should stand",
      "{a:1} | 1 | unexpected 'a' where a member's name should stand",
      "tru | 0 | unexpected 't' where a value should stand",
      "01 | 1 | unexpected '1' after the value",
      "-x | 1 | unexpected 'x' where a digit should stand",
      "1. | 2 | the text ends too early",
      "1e | 2 | the text ends too early",
      ".5 | 0 | unexpected '.' where a value should stand",
      "+1 | 0 | unexpected '+' where a value should stand",
      "NaN | 0 | unexpected 'N' where a value should stand",
      "\"a | 2 | the text ends too early",
      "\"\\x\" | 2 | unexpected 'x' after a backslash",
      "\"\\u12G4\" | 5 | unexpected 'G' where a hexadecimal digit should stand",
      "1e9999999999 | 0 | a number whose exponent is out of range",
      "1e513 | 0 | a number whose exponent is out of range",
      "0.1e-512 | 0 | a number whose exponent is out of range",
      "1e600 | 0 | a number whose exponent is out of range",
  })
  void whatIsNotJsonIsRefusedWithItsOffset(String text, int offset, String problem) {
    var e = assertThrows(JsonException.class, () -> Json.read(text));
    assertEquals("invalid JSON at offset " + offset + ": " + problem, e.getMessage());
    assertEquals(offset, e.offset());
  }

  @Test
  void rawControlCharactersAndOddBytesAreNamedByTheirCode() {
    var e = assertThrows(JsonException.class, () -> Json.read("\"a\nb\""));
    assertEquals("invalid JSON at offset 2: unexpected U+000a in a string", e.getMessage());
    e = assertThrows(JsonException.class, () -> Json.read(new byte[] {(byte) 0xff}));
    assertEquals("invalid JSON at offset 0: unexpected U+fffd where a value should stand", e.getMessage());
  }

  @Test
  void nestingIsReadUpToTheLimitAndRefusedBeyondIt() throws JsonException {
    int deepest = JsonReader.DEPTH_MAX;
    Object value = Json.read("[".repeat(deepest + 1) + "]".repeat(deepest + 1));
    int depth = 0;
    while (value instanceof List<?> list && !list.isEmpty()) {
      value = list.getFirst();
      depth++;
    }
    assertEquals(deepest, depth);
    var e = assertThrows(JsonException.class, () -> Json.read("[".repeat(1_000_000)));
    assertTrue(e.getMessage().endsWith("nested deeper than 256"), e.getMessage());
    assertThrows(JsonException.class, () -> Json.read("{\"a\":".repeat(1_000_000)));
  }

  @Test
  void textsAndNumbersOverTheirLimitAreRefused() {
    var e = assertThrows(JsonException.class, () -> Json.read(" ".repeat(JsonReader.TEXT_CHARS_MAX + 1)));
    assertTrue(e.getMessage().contains("longer than"), e.getMessage());
    e = assertThrows(JsonException.class, () -> Json.read("1".repeat(JsonReader.NUMBER_CHARS_MAX + 1)));
    assertTrue(e.getMessage().contains("a number of more than"), e.getMessage());
  }

  @Test
  void valuesThatFollowOneAnotherAreReadInOrder() throws JsonException {
    assertEquals(List.of(Map.of("a", "b"), number("1"), "x"), Json.readAll("{\"a\":\"b\"}\n1 \"x\"\n"));
    assertEquals(List.of(), Json.readAll(" \n"));
    assertThrows(JsonException.class, () -> Json.readAll("{}\n{\"level\":"));
  }

  @Test
  void objectsAndArraysAreToldFromOtherValues() throws JsonException {
    assertEquals(Optional.empty(), Json.object(Json.read("[]")));
    assertEquals(Optional.empty(), Json.array(Json.read("{}")));
    assertEquals(List.of("a"), Json.array(Json.read("[\"a\"]")).orElseThrow());
  }

  @Test
  void aMemberIsReplacedInACopy() throws JsonException {
    var object = Json.object(Json.read("{\"terminal\":true,\"cwd\":\"/\"}")).orElseThrow();
    assertEquals("{\"terminal\":false,\"cwd\":\"/\"}", Json.write(Json.with(object, "terminal", false)));
    assertEquals(true, object.get("terminal"));
  }

  @Test
  void writingEscapesWhatJsonCannotHold() {
    assertEquals("\"\\\"\\\\\\n\\r\\t\\u0001/\u00e9\uD83D\uDE00\uFFFD\uFFFDx\"",
        Json.write("\"\\\n\r\t\u0001/\u00e9\uD83D\uDE00\uDE00\uD83Dx"));
    assertEquals("[1,2.5,null,{},[]]", Json.write(List.of(1, 2.5, Json.NULL, Map.of(), List.of())));
    assertThrows(IllegalArgumentException.class, () -> Json.write(Double.NaN));
    assertThrows(IllegalArgumentException.class, () -> Json.write(new Object()));
  }

  @Test
  void whatWasWrittenReadsBackTheSame() throws JsonException {
    long seed = System.nanoTime();
    var random = new Random(seed);
    for (int i = 0; i < 500; i++) {
      Object value = randomValue(random, 4);
      assertEquals(value, Json.read(Json.write(value)), "seed " + seed);
    }
  }

  @Test
  void brokenTextsFailWithAJsonExceptionAndNothingElse() {
    String debris = "{}[]\",:\\u0 e-\n\uD800";
    long seed = System.nanoTime();
    var random = new Random(seed);
    for (int i = 0; i < 2000; i++) {
      var text = new StringBuilder(Json.write(randomValue(random, 4)));
      for (int j = 0; j < 3; j++) {
        int at = random.nextInt(text.length());
        text.setCharAt(at, debris.charAt(random.nextInt(debris.length())));
      }
      try {
        Json.read(text.toString());
      } catch (JsonException e) {
        assertTrue(e.offset() <= text.length(), "seed " + seed + ": " + text);
      }
    }
  }

  private static Object randomValue(Random random, int depth) {
    return switch (random.nextInt(depth == 0 ? 4 : 6)) {
      case 0 -> randomString(random);
      case 1 -> number(new BigDecimal(random.nextLong()).movePointLeft(random.nextInt(30)).toString());
      case 2 -> random.nextBoolean();
      case 3 -> Json.NULL;
      case 4 -> {
        var list = new ArrayList<>();
        for (int i = random.nextInt(5); i > 0; i--) {
          list.add(randomValue(random, depth - 1));
        }
        yield list;
      }
      default -> {
        var map = new LinkedHashMap<String, Object>();
        for (int i = random.nextInt(5); i > 0; i--) {
          map.put(randomString(random), randomValue(random, depth - 1));
        }
        yield map;
      }
    };
  }

  private static String randomString(Random random) {
    var text = new StringBuilder();
    for (int i = random.nextInt(12); i > 0; i--) {
      int point = random.nextInt(4) == 0 ? random.nextInt(0x11000) * 16 : random.nextInt(128);
      text.appendCodePoint(point >= 0xD800 && point < 0xE000 ? 'x' : point);
    }
    return text.toString();
  }
}
