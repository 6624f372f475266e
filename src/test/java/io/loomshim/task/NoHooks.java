package io.loomshim.task;

import io.loomshim.proto.task.DeleteResponse;
import java.io.IOException;
import java.nio.file.Path;

/** A daemon that has no containers and keeps nothing of what it is told. */
public class NoHooks implements DaemonHooks {
  @Override
  public void beforeCreate(String id) {}

  @Override
  public void creating(String id, Path bundle) throws IOException, InterruptedException {}

  @Override
  public boolean leased(String id) {
    return false;
  }

  @Override
  public void createFailed(Path bundle) {}

  @Override
  public void deleted(Path bundle, DeleteResponse response) {}

  @Override
  public void gone(String id) {}

  @Override
  public void shutdownRequested() {}
}
