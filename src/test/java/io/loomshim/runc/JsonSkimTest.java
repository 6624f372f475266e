package io.loomshim.runc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.json.Json;
import io.loomshim.json.JsonException;
import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class JsonSkimTest {
  private static Optional<JsonSkim> skim(String text) {
    return JsonSkim.of(text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void membersAreFoundWhateverStandsBetween() throws Exception {
    var skim = skim(" { \"a\" : 7 ,\"b\":\"}{][,\\\"\\\\\",\"c\":[{\"a\":[]},\"]\"],\"d\":null,\"e\":-1.5e3,"
        + "\"\":true,\"ö\":\"é\" } \n").orElseThrow();
    assertEquals("7", skim.value("a").toString());
    assertEquals("}{][,\"\\", skim.value("b"));
    assertEquals(List.of(Map.of("a", List.of()), "]"), skim.value("c"));
    assertEquals(Json.NULL, skim.value("d"));
    assertEquals("-1.5e3", skim.value("e").toString());
    assertEquals(true, skim.value(""));
    assertEquals("é", skim.value("ö"));
    assertEquals(Json.NULL, skim.value("f"));
  }

  @Test
  void anObjectWithinIsSkimmedToo() throws Exception {
    var skim = skim("{\"x\":{\"a\":1,\"y\":{\"a\":2}},\"a\":3,\"z\":{}}").orElseThrow();
    assertEquals("1", skim.object("x").orElseThrow().value("a").toString());
    assertEquals("2", skim.object("x").orElseThrow().object("y").orElseThrow().value("a").toString());
    assertEquals(Json.NULL, skim.object("z").orElseThrow().value("a"));
    assertEquals(Optional.empty(), skim.object("a"));
    assertEquals(Optional.empty(), skim.object("b"));
  }

  @Test
  void whatIsNoObjectOrHasNoEndIsNone() {
    for (String text : new String[] {"", " ", "7", "[1]", "\"a\"", "{", "{\"a\"", "{\"a\":", "{\"a\":1", "{\"a\":1,",
      "{\"a\":1,}", "{\"a\" 1}", "{a:1}", "{\"a\":}", "{\"a\":\"1}", "{\"a\":[1}", "{\"a\":{\"b\":1}", "{\"a\":1}{}",
      "{\"a\":\"\\\"}", "{\"a\":1}x"}) {
      assertEquals(Optional.empty(), skim(text), text);
    }
  }

  @Test
  void whatIsReadMustBeJson() {
    var skim = skim("{\"a\":{1},\"b\":truly,\"c\":[1 2]}").orElseThrow();
    assertThrows(JsonException.class, () -> skim.value("a"));
    assertThrows(JsonException.class, () -> skim.value("b"));
    assertThrows(JsonException.class, () -> skim.value("c"));
    assertTrue(skim.object("a").isEmpty());
  }
}
