package io.loomshim;

import static io.loomshim.TestNames.tests;
import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.List;
import org.junit.jupiter.api.Test;

final class TestNamesTest {
  @Test
  void aMethodThatIsNoTestIsNotTakenForOne() {
    String source = "@Test\n  void real() {}\n\n  void helper() {}\n@RepeatedTest(20)\n void often() throws X {}\n"
        + "@ParameterizedTest\n  @CsvSource({\"a, 1\"})\n  void table(String a) {}\n"
        + "@ParameterizedTest(name = \"{0}\")\n  @EnumSource\n  void named(String a) {}";
    assertEquals(List.of(true, false, true, true, true, false),
        List.of(tests(source, "real"), tests(source, "helper"), tests(source, "often"), tests(source, "table"),
            tests(source, "named"), tests(source, "missing")));
  }
}
