package io.loomshim.shelf;

import io.loomshim.linux.Fd;
import java.util.ArrayList;

/** A shelf as the next daemon has it. Stateless. */
public final class SecondShelf {
  private SecondShelf() {}

  /** The same shelf as another process has it, which has inherited its ends. */
  public static Shelf of(Shelf shelf) throws Exception {
    var ends = new ArrayList<Fd>();
    int first = 0;
    for (int from = 200; first == 0; from += Shelf.ENDS) {
      for (Fd end : shelf.ends()) {
        ends.add(end.duplicateFrom(from));
      }
      boolean inARow = true;
      for (int i = 0; i < Shelf.ENDS; i++) {
        inARow &= ends.get(i).number() == ends.get(0).number() + i;
      }
      if (inARow) {
        first = ends.get(0).number();
      } else {
        ends.forEach(Fd::close);
        ends.clear();
      }
    }
    return Shelf.inherited(first);
  }
}
