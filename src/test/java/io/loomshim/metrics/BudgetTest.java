package io.loomshim.metrics;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import io.loomshim.threads.Threads;
import java.util.ArrayList;
import org.junit.jupiter.api.Test;

class BudgetTest {
  @Test
  void whatDoesNotFitIsRefusedAndTakesNothing() {
    var budget = new Budget(100);
    assertTrue(budget.take(60));
    assertFalse(budget.take(41));
    assertTrue(budget.take(40));
    budget.give(100);
    assertEquals(0, budget.taken());
  }

  @Test
  void theModestMayTakeAsMuchAgain() {
    var budget = new Budget(100);
    assertTrue(budget.take(100));
    assertTrue(budget.takeModestly(100));
    assertFalse(budget.takeModestly(1));
    budget.charge(500);
    budget.give(600);
    assertFalse(budget.take(1));
    budget.give(100);
    assertTrue(budget.take(100));
  }

  @Test
  void manyAtOnceNeverTakeMoreThanThereIs() throws Exception {
    var budget = new Budget(1000);
    var threads = new ArrayList<Thread>();
    for (int i = 0; i < 50; i++) {
      threads.add(Threads.start("taker", () -> {
        for (int n = 0; n < 1000; n++) {
          if (budget.take(300)) {
            assertTrue(budget.taken() <= 1000);
            budget.give(300);
          }
        }
      }));
    }
    for (Thread thread : threads) {
      thread.join();
    }
    assertEquals(0, budget.taken());
  }
}
