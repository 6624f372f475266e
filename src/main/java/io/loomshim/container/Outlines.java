package io.loomshim.container;

import io.loomshim.errors.StatusException;
import io.loomshim.record.Saved;
import io.loomshim.runc.Surroundings;
import io.loomshim.threads.Aside;
import io.loomshim.threads.AsideException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * The containers of a daemon that was killed as objects, with what their bundles say of their runtimes. Bundles are
 * read some at a time, while the caller goes on with those that have been read. Used by the thread that takes over.
 */
final class Outlines {
  /** Containers in one step: many more than a change of threads costs, few enough to begin with. */
  private static final int STEP_CONTAINERS = 16;

  private final Common common;
  private final List<Saved.Container> saved;
  private final Surroundings surroundings = new Surroundings();
  private final List<Optional<Aside<List<Optional<Container>>>>> steps = new ArrayList<>();
  private List<Optional<Container>> read = List.of();

  /** Begins to read. */
  Outlines(List<Saved.Container> saved, Common common) {
    this.common = common;
    this.saved = saved;
    for (int at = 0; at < saved.size(); at += STEP_CONTAINERS) {
      steps.add(begin(saved.subList(at, Math.min(at + STEP_CONTAINERS, saved.size()))));
    }
  }

  private Optional<Aside<List<Optional<Container>>>> begin(List<Saved.Container> some) {
    try {
      return Optional.of(Aside.begin("read loom.env in " + some.getFirst().asked().getBundle(),
          new Reading(some, common, surroundings)));
    } catch (AsideException e) {
      return Optional.empty(); // each is read by itself
    }
  }

  /**
   * The container with this number; to be asked for one after the other.
   *
   * @throws StatusException when the record asks for what there is not
   */
  Container get(int number) throws IOException, InterruptedException {
    if (number % STEP_CONTAINERS == 0) {
      read = await(steps.get(number / STEP_CONTAINERS));
    }
    int at = number % STEP_CONTAINERS;
    if (at < read.size() && read.get(at).isPresent()) {
      return read.get(at).get();
    }
    Saved.Container one = saved.get(number);
    return Aside.run("read loom.env in " + one.asked().getBundle(), new Aside.Step<Container>() {
      @Override
      public Container run() {
        return Creation.object(Notes.spec(one), common, surroundings);
      }
    });
  }

  /** Nothing for bundles one of which is in a file system that does not answer. */
  private static List<Optional<Container>> await(Optional<Aside<List<Optional<Container>>>> step)
      throws InterruptedException {
    try {
      return step.isPresent() ? step.get().await() : List.of();
    } catch (IOException e) {
      return List.of();
    }
  }

  /** Some bundles; what fails is tried again by itself. */
  private record Reading(List<Saved.Container> some, Common common, Surroundings surroundings)
      implements Aside.Step<List<Optional<Container>>> {
    @Override
    public List<Optional<Container>> run() {
      var made = new ArrayList<Optional<Container>>(some.size());
      for (Saved.Container one : some) {
        made.add(object(one));
      }
      return made;
    }

    private Optional<Container> object(Saved.Container one) {
      try {
        return Optional.of(Creation.object(Notes.spec(one), common, surroundings));
      } catch (RuntimeException e) {
        return Optional.empty();
      }
    }
  }
}
