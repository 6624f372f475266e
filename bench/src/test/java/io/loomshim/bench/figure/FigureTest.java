package io.loomshim.bench.figure;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.reflect.Modifier;
import java.util.HashSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class FigureTest {
  @Test
  void everyFigureStandsInTheTableAndHasAKeyOfItsOwn() throws Exception {
    var keys = new HashSet<String>();
    for (var field : Figure.class.getFields()) {
      if (Modifier.isStatic(field.getModifiers()) && field.getType() == Figure.class) {
        var figure = (Figure) field.get(null);
        assertTrue(Figure.ALL.contains(figure), field.getName());
        assertTrue(keys.add(figure.key()), figure.key());
      }
    }
    assertEquals(keys.size(), Figure.ALL.size());
  }

  @Test
  void aTitleSaysOneContainerAndManyContainers() {
    assertEquals("memory (PSS), 1 container", Figure.PSS.title(1));
    assertEquals("memory (PSS), 10 containers", Figure.PSS.title(10));
    assertEquals("500 containers, 8 at a time, each", Figure.CHURN.title(500));
    assertEquals("start alone, warm", Figure.START.plainTitle(Samples.NONE));
  }

  @Test
  void goalsHoldForTheirNumberOnly() {
    assertEquals(List.of(), Figure.PSS.goals(10));
    assertEquals(List.of(Side.RUNC_V1), Figure.PSS.goals(200).stream().map(Figure.Goal::than).toList());
    assertEquals(List.of(Side.GROUP, Side.RUNC_V1), Figure.PSS.goals(1000).stream().map(Figure.Goal::than).toList());
    assertEquals(1, Figure.START.goals(Samples.NONE).size());
  }

  @Test
  void theReadmeShowsSomeNumbersOnly() {
    assertTrue(Figure.EXEC_MANY.inReadme(50));
    assertFalse(Figure.EXEC_MANY.inReadme(20));
    assertTrue(Figure.PSS.inReadme(1) && Figure.PSS.inReadme(10) && Figure.PSS.inReadme(1000));
    assertFalse(Figure.PSS.inReadme(200) || Figure.PSS.inReadme(500) || Figure.PSS.inReadme(Samples.NONE));
    assertFalse(Figure.RSS.inReadme(10));
  }
}
