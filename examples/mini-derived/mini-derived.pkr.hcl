# Template to template: starts from the template `mini`, changes one thing, and freezes the result as its child.
#
#   gantry build examples/mini            (once)
#   gantry build examples/mini-derived

variable "greeting" {
  type        = string
  description = "What the machine says at login and in /etc/motd."
  default     = "made from the template mini"
}

source "qemu" "mini-derived" {
  base = template.mini

  memory   = 256
  headless = true

  # No password: the build brings a key of its own, which the guest finds on a NoCloud seed.
  communicator     = "ssh"
  ssh_username     = "root"
  ssh_timeout      = "3m"
  shutdown_command = "/usr/sbin/poweroff"
}

build {
  name    = "mini-derived"
  sources = ["source.qemu.mini-derived"]

  provisioner "shell" {
    environment_vars = ["GREETING=${var.greeting}"]
    inline = [
      "echo \"$GREETING\" > /etc/motd",
      "cat /etc/motd",
    ]
  }

  artifact "template" {
    name = "mini-derived"
  }

  post-processor "manifest" {
    output     = "build/mini-derived-manifest.json"
    strip_path = true
  }

  post-processor "checksum" {
    checksum_types = ["sha256"]
    output         = "build/mini-derived_{{.ChecksumType}}.checksum"
  }
}
