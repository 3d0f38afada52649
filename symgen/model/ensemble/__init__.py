"""Several tracks at once: piano rolls, a VAE over them, and a GAN whose generator begins as the VAE's decoder."""
