package io.loomshim.runc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class PsOutputTest {
  @Test
  void pidsAreReadInOrder() throws RuncException {
    assertEquals(List.of(12, 7, 4194304), PsOutput.parse("[12,7,4194304]\n"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"null", "[]", " null\n"})
  void nothingIsAnEmptyList(String output) throws RuncException {
    assertEquals(List.of(), PsOutput.parse(output));
  }

  @ParameterizedTest
  @ValueSource(strings = {"", "time=\"now\" level=warning msg=\"x\"\n[1]", "{}", "[\"1\"]", "[1.5]", "[0]", "[-1]",
      "[4294967296]", "[1,", "\"x\""})
  void anythingElseIsAClearError(String output) {
    var e = assertThrows(RuncException.class, () -> PsOutput.parse(output));
    assertTrue(e.text().startsWith("the list of processes "), e.text());
    assertTrue(e.text().endsWith(": " + output.strip()), e.text());
  }

  @Test
  void aLongTextIsCutInTheError() {
    var e = assertThrows(RuncException.class, () -> PsOutput.parse("x".repeat(50_000)));
    assertTrue(e.text().length() < 400 && e.text().endsWith("xxx…"), e.text());
  }
}
