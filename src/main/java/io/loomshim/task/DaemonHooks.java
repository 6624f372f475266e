package io.loomshim.task;

import io.loomshim.proto.task.DeleteResponse;
import java.io.IOException;
import java.nio.file.Path;

/** What the task service tells, and asks, the daemon that it runs in. Methods are called on the thread of the call. */
public interface DaemonHooks {
  /** A Create for {@code id} has arrived: what is left of an earlier container of that name is to be given up first. */
  void beforeCreate(String id);

  /** The container {@code id} is being created: its log is in {@code bundle}, and it needs no lease any more. */
  void creating(String id, Path bundle) throws IOException, InterruptedException;

  /** Whether a {@code start} has dropped a lease for {@code id}, and its Create has not arrived. */
  boolean leased(String id);

  /** A creation has failed: a containerd that is started anew is to clean up {@code bundle}. */
  void createFailed(Path bundle);

  /** The same for a container that was deleted; {@code response} is what a later {@code delete} must print. */
  void deleted(Path bundle, DeleteResponse response);

  /** The container {@code id} is in no map any more: it was deleted, or its creation failed. Its log may be closed. */
  void gone(String id);

  /** A client has asked for the shim's end, which a daemon with containers does not grant. */
  void shutdownRequested();
}
