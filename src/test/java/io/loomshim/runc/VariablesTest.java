package io.loomshim.runc;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotSame;
import static org.junit.jupiter.api.Assertions.assertSame;

import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;

class VariablesTest {
  private static Map<String, String> environment(String... words) {
    var environment = new LinkedHashMap<String, String>();
    for (int i = 0; i < words.length; i += 2) {
      environment.put(words[i], words[i + 1]);
    }
    return environment;
  }

  @Test
  void eachContainerHasItsOwnDirectoryAndTheRestIsShared() {
    var first = Variables.of(environment("A", "1", "PWD", "/bundles/a", "B", "2"));
    var second = Variables.of(environment("A", "1", "PWD", "/bundles/b", "B", "2"));
    var none = Variables.of(environment("A", "1", "B", "2"));
    assertEquals(List.of("A=1", "B=2", "PWD=/bundles/a"), first.lines());
    assertEquals(List.of("A=1", "B=2", "PWD=/bundles/b"), second.lines());
    assertEquals(List.of("A=1", "B=2"), none.lines());
    assertSame(first.lines().getFirst(), second.lines().getFirst());
    assertSame(first.lines().get(1), none.lines().get(1));
  }

  @Test
  void anotherEnvironmentIsNotTakenForTheLastOne() {
    var first = Variables.of(environment("A", "1"));
    var second = Variables.of(environment("A", "2"));
    var third = Variables.of(environment("A", "2", "B", "3"));
    assertEquals(List.of("A=1"), first.lines());
    assertEquals(List.of("A=2"), second.lines());
    assertEquals(Set.of("A=2", "B=3"), Set.copyOf(third.lines()));
    assertNotSame(first.lines(), second.lines());
  }

  @Test
  void oneMapIsReadOnce() {
    var environment = environment("A", "1", "PWD", "/bundles/a");
    assertSame(Variables.of(environment), Variables.of(environment));
  }

  @Test
  void theSocketOfTheServiceManagerIsNotHandedOn() {
    assertEquals(List.of("A=1"), Variables.of(environment("NOTIFY_SOCKET", "/run/notify", "A", "1")).lines());
  }
}
