# examples/debian in the words of Packer 1.6.6: the same live system on an ISO that bench/run makes, the same
# provisioners. Packer can't start a kernel and then the disk that it installed, so it types the answers' address.

variable "iso" {
  type = string
}

variable "answers" {
  type = string
}

variable "key" {
  type = string
}

variable "output" {
  type = string
}

variable "greeting" {
  type = string
}

source "qemu" "debian" {
  iso_url          = var.iso
  iso_checksum     = "none"
  output_directory = var.output
  vm_name          = "debian.qcow2"

  accelerator    = "tcg"
  machine_type   = "pc"
  cpus           = 2
  memory         = 1024
  disk_size      = "4G"
  disk_interface = "virtio"
  disk_cache     = "unsafe"
  net_device     = "virtio-net"
  format         = "qcow2"
  headless       = true

  http_directory = var.answers

  boot_wait         = "5s"
  boot_key_interval = "20ms"
  boot_command      = ["install answers=http://{{ .HTTPIP }}:{{ .HTTPPort }}/answers<enter>"]

  ssh_username         = "root"
  ssh_private_key_file = var.key
  ssh_timeout          = "90m"
  shutdown_command     = "systemctl poweroff"
}

build {
  sources = ["source.qemu.debian"]

  provisioner "shell" {
    environment_vars = ["DEBIAN_FRONTEND=noninteractive"]
    inline = [
      "apt-get -q -y --no-install-recommends install cloud-init cloud-guest-utils qemu-guest-agent sudo",
      "apt-get clean",
    ]
  }

  provisioner "file" {
    source      = "${path.root}/../examples/debian/files/"
    destination = "/etc/cloud/cloud.cfg.d"
  }

  provisioner "shell" {
    environment_vars = ["GREETING=${var.greeting}"]
    inline = [
      "echo \"$GREETING\" > /etc/motd",
      "cat /etc/motd",
    ]
  }
}
