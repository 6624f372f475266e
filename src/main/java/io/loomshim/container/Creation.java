package io.loomshim.container;

import io.loomshim.process.Child;
import io.loomshim.process.Children;
import io.loomshim.proto.runc.Options;
import io.loomshim.record.Change;
import io.loomshim.runc.PidFile;
import io.loomshim.runc.Runc;
import io.loomshim.runc.RuncException;
import io.loomshim.runc.RuncSettings;
import io.loomshim.runc.Surroundings;
import io.loomshim.stdio.Streams;
import io.loomshim.threads.Aside;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Optional;

/**
 * The creation of one container: mounts the root file system, opens the streams and has runc create the container,
 * unless it is to be restored by Start. When anything of it fails, all of it is undone. Runs on the thread of the call.
 */
record Creation(Container container) {
  /**
   * Creates a container, publishes that and begins to wait for the end of its init.
   *
   * @throws RuncException {@code OCI runtime create failed: …} and the like; nothing is left then
   * @throws IOException when the bundle or a fifo cannot be used; nothing is left then
   */
  static Container run(ContainerSpec spec, Common common) throws IOException, InterruptedException {
    common.undos().check(spec.id(), RuncSettings.root(spec.options(), common.namespace()).resolve(spec.id()));
    var begun = Aside.run("write options.json in " + spec.bundle(), new Begin(spec, common));
    Container container = begun.container();
    if (common.journal().keeps() && !begun.foreign()) { // what stands in the record is removed when this is cut short
      common.journal().write(Notes.asked(spec));
    }
    new Creation(container).run(begun.foreign());
    container.init.keep();
    container.init.created();
    return container;
  }

  /** The container as an object, with what its bundle says of its runtime; nothing of it exists yet. For steps. */
  static Container object(ContainerSpec spec, Common common, Surroundings surroundings) {
    var bundle = new Bundle(spec.bundle());
    Surroundings.Known known = surroundings.of(spec.bundle());
    var settings = RuncSettings.of(spec.options(), known.runtime(), common.namespace(), bundle.runcLog());
    var runc = new Runc(spec.id(), settings, spec.bundle(), common.limits(), known.environment(), common.calls(),
        common.known());
    return new Container(spec, common, bundle, runc);
  }

  /**
   * What there is before anything is made.
   *
   * @param foreign whether runc has a container of this name already: that is another's, and must survive our failure
   */
  private record Begun(Container container, boolean foreign) {}

  /** Reads the environment and writes down how the container is removed, in one step. */
  private record Begin(ContainerSpec spec, Common common) implements Aside.Step<Begun> {
    @Override
    public Begun run() throws IOException, InterruptedException {
      Container container = object(spec, common, new Surroundings());
      EarlyMove.create(container.runc);
      container.bundle.recordRuntime(spec.options(), container.runc.settings(), !spec.rootfs().isEmpty());
      return new Begun(container, container.runc.exists());
    }
  }

  private void run(boolean foreign) throws IOException, InterruptedException {
    String id = container.id();
    Undos undos = container.common.undos();
    InitProcess init = container.init;
    try {
      container.rootFs.mount();
      Streams streams = init.openStreams();
      if (container.life.state() == InitState.CREATED) {
        init.child = Optional.of(createInRunc(streams));
      }
    } catch (IOException | InterruptedException | RuntimeException | Error e) {
      Optional<Child> made = init.child;
      undos.run(id, container.runc.directory(), e, () -> {
        undo(foreign, made);
        forget(id, foreign); // last: a daemon that takes over meanwhile has it undone
      });
      throw e;
    }
  }

  private void forget(String id, boolean foreign) {
    if (container.common.journal().keeps() && !foreign) {
      container.common.journal().write(Change.forget(id));
    }
  }

  private Child createInRunc(Streams streams) throws IOException, InterruptedException {
    Options options = container.spec.options();
    try (Children.Launch launch = Children.launching()) {
      assert launch != null;
      EarlyMove.create(container.runc);
      return container.runc.create(container.bundle.initPidFile(), options.getNoPivotRoot(),
          options.getNoNewKeyring(), streams, container.init.meanwhile());
    }
  }

  /** Can be repeated. What failed is told once all has been tried. */
  private void undo(boolean foreign, Optional<Child> made) throws IOException, InterruptedException {
    if (!foreign) {
      try {
        container.runc.deleteByForce();
      } catch (RuncException e) {
        if (!e.scarce()) {
          throw e;
        }
        container.init.closeStreams(); // there may be no descriptors but these
        container.runc.deleteByForce();
      }
    }
    container.init.closeStreams();
    made.ifPresent(Child::close); // one that runc could not name is an orphan
    container.rootFs.unmount();
    PidFile pidFile = container.bundle.initPidFile();
    Aside.run("remove draft of " + pidFile, () -> {
      pidFile.removeDraft();
      return pidFile;
    });
  }
}
